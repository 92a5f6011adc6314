// Keyboard shortcuts. Single characters can be turned off, for people who speak instead of typing (WCAG 2.2, 2.1.4).
'use strict';

const KEYS = [
  ['/', 'Search'],
  ['↓ ↑', 'Next and previous customer of the list'],
  ['Enter', 'Open the customer'],
  ['Esc', 'Back to the list, then to the search'],
  ['c', 'Write a note about the open customer'],
  ['e', 'Edit the open customer'],
  ['n', 'New customer'],
  ['?', 'This list'],
];
const hasCharacters = () => localStorage.getItem('keys') !== 'no characters';
function showKeys() {
  const dialog = document.createElement('dialog');
  dialog.className = 'keys';
  dialog.setAttribute('aria-labelledby', 'keys');
  const title = document.createElement('h2');
  [title.id, title.textContent] = ['keys', 'Keyboard shortcuts'];
  const list = document.createElement('dl');
  for (const [key, meaning] of KEYS) {
    const [term, text] = [document.createElement('dt'), document.createElement('dd')];
    [term.textContent, text.textContent] = [key, meaning];
    list.append(term, text);
  }
  const [choice, box] = [document.createElement('label'), document.createElement('input')];
  [choice.className, box.type, box.checked] = ['choice', 'checkbox', hasCharacters()];
  box.addEventListener('change', () => localStorage.setItem('keys', box.checked ? 'all' : 'no characters'));
  const text = document.createElement('span');
  text.textContent = 'Use the keys that are single characters';
  choice.append(box, text);
  const close = document.createElement('button');
  [close.className, close.textContent] = ['btn', 'Close'];
  close.addEventListener('click', () => dialog.close());
  dialog.append(title, list, choice, close);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
function move(by) {
  const rows = [...document.querySelectorAll('#rows a')];
  const next = rows.indexOf(document.activeElement) + by;
  if (next < 0) $('#q')?.focus();
  else rows[Math.min(next, rows.length - 1)]?.focus();
}
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $('dialog')) return;
  const { activeElement } = document;
  const [search, isRow] = [$('#q'), activeElement.closest('#rows')];
  const isTyping = activeElement.matches('input, textarea, select');
  const [note, edit] = [$('#body'), $('.record .top-line [action$="/edit"] button')];
  const [add, row] = [$('.to[action="/customers/new"] button'), $('.split #rows [aria-current]')];
  const actions = {
    '/': search && !isTyping && (() => { search.focus(); search.select(); }),
    '?': !isTyping && showKeys,
    c: note && !isTyping && (() => note.focus()),
    e: edit && !isTyping && (() => edit.click()),
    n: add && !isTyping && (() => add.click()),
    ArrowDown: (isRow || (search && activeElement === search)) && (() => move(1)),
    ArrowUp: isRow && (() => move(-1)),
    Escape: isRow ? search && (() => search.focus()) : row && activeElement.closest('#record') && (() => row.focus()),
  };
  if (!actions[event.key] || (event.key.length === 1 && !hasCharacters())) return;
  event.preventDefault();
  actions[event.key]();
});
