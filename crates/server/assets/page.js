// Conveniences. Every page works without them.
//
// htmx replaces parts of a page, as the attributes in the templates say. This file copies and prints; keeps telling how long
// ago something was; puts the list of customers beside a record in wide windows; keeps notes while they are typed; and sends
// files when they are chosen or dropped. keys.js has the keyboard shortcuts.
'use strict';

const $ = (selector) => document.querySelector(selector);
const isWide = matchMedia('(min-width: 1180px)');

// What is on the page, also after a part of it was replaced.
function prepare() {
  for (const button of document.querySelectorAll('button:is([data-copy], [data-print], [data-keys])[hidden]')) {
    button.hidden = false;
    const act = button.dataset.copy ? copy : button.hasAttribute('data-keys') ? showKeys : () => print();
    button.addEventListener('click', () => act(button));
  }
  for (const form of document.querySelectorAll('form[data-draft]')) keepDraft(form);
  if (window.htmx) for (const form of document.querySelectorAll('.adding')) form.elements.file.hidden = true;
  // A part that is replaced must not lose the files that were chosen for a new note.
  const files = $('#files');
  if (files && chosen?.path === location.pathname && !files.files.length) files.files = chosen.files;
  if (files) requireText(files);
  for (const form of document.querySelectorAll('.record-form')) keepForm(form);
  arrange();
  markShown();
  if (isWide.matches) setTimeout(loadPictures);
}

// A print has all pictures: while it is made, none can be loaded any more.
function loadPictures() {
  for (const picture of document.querySelectorAll('img[loading=lazy]')) picture.loading = 'eager';
}
addEventListener('beforeprint', loadPictures);

// A note without a text has files.
function requireText({ files, form }) {
  form.elements.body.required = !files.length;
  if (files.length) form.classList.add('open');
}
document.addEventListener('focusin', ({ target }) => target.closest('.composer')?.classList.add('open'));

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.innerText);
    button.firstChild.textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren(source);
    button.firstChild.textContent = 'Press Ctrl+C';
  }
}

// From how many seconds on a distance is told in a unit, and the unit's length; the server does the same. The reader's
// clock may be wrong, so what counts is how long the page has been open.
const UNITS = [['year', 63_072_000, 31_536_000], ['month', 5_184_000, 2_592_000], ['week', 1_209_600, 604_800],
  ['day', 86_400, 86_400], ['hour', 3_600, 3_600], ['minute', 60, 60]];
const distance = new Intl.RelativeTimeFormat('en');
const ahead = Date.now() - Date.parse($('main').dataset.now);

function tellDistances() {
  for (const time of document.querySelectorAll('time')) {
    const seconds = (Date.parse(time.dateTime) + ahead - Date.now()) / 1_000;
    const [unit, , length] = UNITS.find(([, from]) => Math.abs(seconds) >= from) ?? [];
    const told = unit ? distance.format(Math.trunc(seconds / length), unit) : 'just now';
    time.querySelector('.ago').textContent = `(${told})`;
  }
}

setInterval(tellDistances, 60_000);
document.addEventListener('visibilitychange', tellDistances);

// The list as it was last searched, in this tab. A record's page begins with it, also after a form.
const businessOf = (address) => new URL(address, location).searchParams.get('business');
function keptList(list) {
  const kept = sessionStorage.getItem('list');
  const isNew = new URLSearchParams(location.search).get('done') === 'created';
  return kept && !isNew && businessOf(kept) === businessOf(list) ? kept : list;
}
function searchedList() {
  const form = $('#list form.search');
  if (!form) return null;
  const fields = [...new FormData(form)].filter(([, value]) => value);
  return `${form.getAttribute('action')}?${new URLSearchParams(fields)}`;
}
addEventListener('pagehide', () => {
  const list = searchedList();
  if (list) sessionStorage.setItem('list', list);
});

// Somebody who comes back to the list finds the row where it was, although more rows had been loaded.
addEventListener('pagehide', () => {
  const rows = document.querySelectorAll('#rows a').length;
  if (rows && !$('.record')) sessionStorage.setItem('place', JSON.stringify([location.href, rows, scrollY]));
});
async function restorePlace() {
  const [address, rows, top] = JSON.parse(sessionStorage.getItem('place') ?? '[]');
  if (arrival.type !== 'back_forward' || address !== location.href || !window.htmx) return;
  let more = $('#more a');
  while (more && document.querySelectorAll('#rows a').length < rows) {
    const next = { source: more, target: '#rows', select: '#rows > li', selectOOB: '#more', swap: 'beforeend' };
    await htmx.ajax('GET', more.href, next);
    more = $('#more a') === more ? null : $('#more a');
  }
  scrollTo(0, top);
}

// The list beside the record.
function arrange() {
  const desk = $('#desk');
  if (!desk || !window.htmx) return;
  desk.classList.toggle('split', isWide.matches);
  const list = $('#list');
  if (isWide.matches && list.dataset.from && !list.hasChildNodes()) {
    const from = keptList(list.dataset.from);
    delete list.dataset.from;
    htmx.ajax('GET', from, { source: list, target: list, select: '#list', swap: 'outerHTML' });
  }
}

// The row of the record that is shown, and the way back to it.
function markShown() {
  const back = $('#record .back a');
  if (back) back.href = searchedList() ?? keptList(back.href);
  for (const row of document.querySelectorAll('#rows a')) {
    if (row.pathname === location.pathname) row.setAttribute('aria-current', 'true');
    else row.removeAttribute('aria-current');
  }
}

document.addEventListener('click', (event) => {
  const row = event.target.closest('.split #rows a');
  if (!row || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const shown = { source: row, target: '#record', select: '#record', swap: 'outerHTML', push: 'true' };
  // Whoever opened it by a key reads on there.
  const opened = htmx.ajax('GET', row.href, shown);
  if (!event.detail) opened.then(() => focusOn($('#record h1')));
});

// An answer without the part that was asked for is another page, such as the one for signing in. It is shown whole,
// unless it is about something that nobody waits for.
document.addEventListener('htmx:after:request', (event) => {
  const { ctx } = event.detail;
  const part = (ctx.select ?? '#similar').slice(1).split(' ')[0];
  if (ctx.text.includes(`id="${part}"`)) return;
  if (ctx.text.startsWith('<p class="fault"')) {
    event.preventDefault();
    const told = new DOMParser().parseFromString(ctx.text, 'text/html').body.firstChild;
    if (told.dataset.partial === undefined) refuse(ctx.sourceElement, told.textContent.trim());
    else showAgain(ctx.sourceElement.closest('.note'), told.textContent.trim());
  } else if (ctx.select && ctx.sourceElement.id !== 'list') {
    Object.assign(ctx, { select: null, selectOOB: null, target: document.body, swap: 'innerHTML' });
  } else if (ctx.response.raw.redirected || ctx.response.status >= 400) event.preventDefault();
});
// The note with the files that were added, and what is wrong with the others.
async function showAgain({ id }, problem) {
  const note = document.getElementById(id);
  await htmx.ajax('GET', location.href, { source: note, target: note, select: `#${id}`, swap: 'outerHTML' });
  refuse(document.getElementById(id).querySelector('.adding'), problem);
}
document.addEventListener('htmx:error', ({ detail: { ctx } }) => {
  const form = ctx?.sourceElement?.closest?.('form');
  if (form?.matches('.adding')) return refuse(form, 'The connection was lost. If the files are not there, attach them again.');
  if (!form || form.querySelector('.lost')) return;
  const lost = document.createElement('p');
  lost.className = 'fault lost all';
  lost.setAttribute('role', 'alert');
  lost.textContent = 'The server could not be reached. What you typed is still here: try again.';
  form.append(lost);
});
document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
  const place = $('#record') ?? $('#notes');
  // The form itself has been replaced.
  const action = new URL(ctx.request.action, location.href).pathname;
  const isNote = ctx.request.method === 'POST' && action === `${location.pathname}/notes`;
  if (isNote && $('main .success')) {
    forgetDraft();
    chosen = null;
  }
  for (const lost of document.querySelectorAll('.lost')) lost.remove();
  prepare();
  if (ctx.request.method === 'POST' && action.endsWith('/files')) say('The files were added.');
  const found = $('#found');
  if (found && $('#said')) $('#said').textContent = found.dataset.said;
  // The button that was used may be gone.
  if (ctx.request.method === 'POST' && document.activeElement === document.body && place) {
    focusOn(place.querySelector('.success, .fault[role]') ?? place.querySelector('h1') ?? $('h1'));
  }
  if (ctx.sourceElement.id === 'list') $('#rows [aria-current]')?.scrollIntoView({ block: 'nearest' });
  // What the row says has changed with the record.
  const list = searchedList();
  if (ctx.request.method === 'POST' && action.endsWith('/restore') && found && list) {
    htmx.ajax('GET', list, { source: found, target: '#found', select: '#found', swap: 'outerHTML' });
  }
});
function focusOn(element) {
  element?.setAttribute('tabindex', '-1');
  element?.focus();
}

// A note that is being typed is kept in this browser until it is saved or the user signs out, and in this tab even if
// somebody signs out in another one: only the same person finds it again.
const DRAFTS = [localStorage, sessionStorage];
const draftKey = () => `draft ${$('main').dataset.person} ${location.pathname}`;
function keepDraft(form) {
  const text = form.querySelector('textarea');
  if (text.dataset.kept) return;
  text.dataset.kept = 'true';
  if (!text.value) text.value = DRAFTS.map((kept) => kept.getItem(draftKey())).find((it) => it) ?? '';
  if (text.value) form.classList.add('open');
  const keep = () => {
    if (!text.value) forgetDraft();
    else for (const kept of DRAFTS) kept.setItem(draftKey(), text.value);
  };
  text.addEventListener('input', keep);
}
function forgetDraft() {
  for (const kept of DRAFTS) kept.removeItem(draftKey());
}

// A form has what was typed when one comes back to it. To go back to the answer to a form would send the form again, so
// such a page gets the address of the form.
const formKey = () => `form ${location.pathname}`;
const [arrival] = performance.getEntriesByType('navigation');
function keepForm(form) {
  if (form.dataset.kept) return;
  form.dataset.kept = 'true';
  const kept = arrival.type === 'back_forward' && sessionStorage.getItem(formKey());
  if (kept) {
    const values = new Map(JSON.parse(kept));
    for (const field of form.elements) {
      if (field.type === 'checkbox' || field.type === 'radio') field.checked = values.get(field.name) === field.value;
      else if (field.name && field.type !== 'submit') field.value = values.get(field.name) ?? '';
    }
  }
  // Where something is wrong, what was unfolded stays so.
  const unfolded = JSON.parse(sessionStorage.getItem(`${formKey()} unfolded`) ?? '[]');
  for (const group of $('main > :is(.fault, .notice), #similar') ? form.querySelectorAll('details') : []) {
    if (unfolded.includes(group.firstChild.textContent)) group.open = true;
  }
  if (!location.search) history.replaceState(history.state, '', `?business=${form.elements.business.value}`);
  addEventListener('pagehide', () => {
    const values = [...new FormData(form)].filter(([, value]) => typeof value === 'string');
    sessionStorage.setItem(formKey(), JSON.stringify(values));
    const open = [...form.querySelectorAll('details[open]')].map((group) => group.firstChild.textContent);
    sessionStorage.setItem(`${formKey()} unfolded`, JSON.stringify(open));
  });
}
document.addEventListener('submit', (event) => {
  if (event.target.getAttribute('action') === '/sign-out') {
    const keys = localStorage.getItem('keys');
    for (const kept of [localStorage, sessionStorage]) kept.clear();
    if (keys) localStorage.setItem('keys', keys);
  }
  if (!event.defaultPrevented && event.target.method === 'post') event.target.classList.add('sent');
});
addEventListener('pageshow', () => $('form.sent')?.classList.remove('sent'));

// Files are sent as soon as they are chosen or dropped on a note. How much has arrived is shown.
const MIB = 1_048_576;
// The files of a note that is not added yet.
let chosen = null;
const live = document.createElement('p');
live.className = 'vh';
live.setAttribute('role', 'status');
function say(text) {
  if (!live.isConnected) $('main').append(live);
  live.textContent = text;
}

// Where something about a form's files is shown: below its note, or in the form itself.
const placeOf = (form) => form.closest('.note') ?? form;
function refuse(form, text) {
  const place = placeOf(form);
  place.querySelector('.refused')?.remove();
  if (!text) return;
  const refused = document.createElement('p');
  refused.className = 'fault refused';
  refused.setAttribute('role', 'alert');
  refused.textContent = text;
  place.append(refused);
}

// Why the server would refuse these files, as far as it is known.
function excess(form, files) {
  const [most, bytes] = [Number(form.dataset.files), Number(form.dataset.bytes)];
  const present = form.closest('.note')?.querySelectorAll('.files > li').length ?? 0;
  if (files.length > most - present) {
    const there = present ? ` It already has ${present}.` : '';
    return `A note can have ${most} files. You chose ${files.length}.${there}`;
  }
  const long = [...files].find((file) => file.size > bytes);
  return long ? `${long.name} is longer than ${bytes / MIB} MiB, the maximum.` : '';
}

document.addEventListener('click', (event) => {
  const form = event.target.closest('.adding button')?.form;
  if (!form || !window.htmx) return;
  event.preventDefault();
  if (!form.dataset.sends) form.elements.file.click();
});
document.addEventListener('change', ({ target: input }) => {
  const { form } = input;
  if (input.type !== 'file' || !form.dataset.files || !window.htmx) return;
  const problem = excess(form, input.files);
  refuse(form, problem);
  if (!form.matches('.adding')) {
    input.setCustomValidity(problem);
    chosen = problem ? null : { path: location.pathname, files: input.files };
    requireText(input);
    return;
  }
  const note = form.closest('.note');
  const shown = { source: form, target: note, select: `#${note.id}`, swap: 'outerHTML' };
  if (problem) input.value = '';
  else if (input.files.length) htmx.ajax('POST', form.getAttribute('action'), shown);
});

document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
  const { body } = ctx.request;
  const files = body instanceof FormData ? body.getAll('file').filter((file) => file.size) : [];
  if (!files.length) return;
  // What arrives too slowly, the server ends.
  clearTimeout(ctx.requestTimeout);
  ctx.fetch = (address, request) => send(ctx.sourceElement.closest('form'), files.length, address, request);
});

// A request with its progress, which `fetch` does not tell.
function send(form, count, address, { method, headers, body }) {
  const label = document.createElement('label');
  const progress = document.createElement('progress');
  label.className = 'sending';
  label.textContent = count === 1 ? 'Adding a file…' : `Adding ${count} files…`;
  say(label.textContent);
  label.append(progress);
  placeOf(form).append(label);
  form.dataset.sends = count;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => Object.assign(progress, { max: total, value: loaded });
    request.onload = () => {
      const redirected = request.responseURL !== new URL(address, location.href).href;
      const { status, responseURL: url, responseText } = request;
      resolve({ status, url, redirected, headers: new Headers(), text: async () => responseText });
    };
    request.onerror = () => reject(new TypeError('The connection was lost.'));
    request.onloadend = () => {
      label.remove();
      delete form.dataset.sends;
      if (form.matches('.adding')) form.elements.file.value = '';
    };
    request.send(body);
  });
}

// The form to which files are added that are dropped here: the note's, or the one for a new note.
function formAt(element) {
  const note = element.closest?.('.note');
  return note ? note.querySelector('.adding') : $('.composer');
}
function mark(form) {
  for (const marked of document.querySelectorAll('.drop')) marked.classList.remove('drop');
  if (form) placeOf(form).classList.add('drop');
}
for (const type of ['dragover', 'drop']) {
  document.addEventListener(type, (event) => {
    // Files that miss a note must not replace the page.
    if (!event.dataTransfer?.types.includes('Files') || !window.htmx || !$('form[data-files]')) return;
    event.preventDefault();
    const form = formAt(event.target);
    const takes = form?.elements.file && !form.dataset.sends;
    mark(type === 'dragover' && takes ? form : null);
    event.dataTransfer.dropEffect = takes ? 'copy' : 'none';
    if (type === 'dragover' || !takes) return;
    form.scrollIntoView({ block: 'nearest' });
    form.elements.file.files = event.dataTransfer.files;
    form.elements.file.dispatchEvent(new Event('change', { bubbles: true }));
  });
}
document.addEventListener('dragleave', (event) => event.relatedTarget ?? mark(null));

isWide.addEventListener('change', arrange);
document.addEventListener('DOMContentLoaded', () => {
  prepare();
  restorePlace();
  // Whoever searched on another page goes on with the keys.
  const isFound = $('#list form.search #q')?.value && document.referrer.startsWith(location.origin);
  if (isFound && document.activeElement === document.body) $('#rows a')?.focus({ preventScroll: true });
});
