// The enrollment page's one script: fills in the code that the link carries behind its `#`, which browsers send to nobody.
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
`;
