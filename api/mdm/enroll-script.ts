// The enrollment page's one script: fills in the code that the link carries behind its `#`, which browsers send to nobody, and tells how
// the enrollment went for which a profile was downloaded.
/** Without it the page works by typing the code. Once the code is sent it is taken out of the address, and so of the history. */
export const ENROLL_SCRIPT = `'use strict';
const code = document.getElementById('code');
const fill = () => {
  const given = location.hash.slice(1);
  if (/^[0-9a-z-]{1,64}$/i.test(given)) code.value = given;
};
addEventListener('hashchange', fill);
code.form.addEventListener('submit', () => {
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
});
fill();
// What was wrong is not said of a code that has changed since.
const mended = () => {
  document.getElementById('problem')?.remove();
  code.removeAttribute('aria-invalid');
  code.setAttribute('aria-describedby', 'hint');
  document.title = 'Enroll this device';
};
code.addEventListener('input', mended);
addEventListener('hashchange', mended);
const outcome = document.getElementById('outcome');
const WORDS = {
  waiting: 'The profile is downloaded. Install it on this device now.',
  enrolled: 'This device is enrolled. No further action is needed.',
  ask_admin: 'This device was enrolled before. Ask your admin to allow it to enroll again, then enter the code once more.',
  refused: 'The server refused this device. Ask your admin.',
};
const look = async () => {
  const response = await fetch('enroll/outcome', { cache: 'no-store' }).catch(() => undefined);
  const { state } = response?.ok ? await response.json() : {};
  const words = WORDS[state];
  if (words === undefined) return;
  outcome.textContent = words;
  outcome.hidden = false;
};
code.form.addEventListener('submit', () => {
  const until = Date.now() + 3600000;
  const timer = setInterval(() => (Date.now() > until ? clearInterval(timer) : look()), 3000);
});
`;
