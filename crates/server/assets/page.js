// Conveniences: copies a text, prints, shows times in the reader's own time zone.
// Every page works without it.
for (const button of document.querySelectorAll('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(source.innerText);
      button.firstChild.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(source);
      button.firstChild.textContent = 'Press Ctrl+C';
    }
  });
}
for (const button of document.querySelectorAll('button[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => print());
}
const local = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'short' });
for (const time of document.querySelectorAll('time[datetime]')) {
  time.title = time.textContent;
  time.textContent = local.format(new Date(time.dateTime));
}
