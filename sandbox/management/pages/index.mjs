// The sandbox's front page: its devices, what they have, and what their owners can do with them.
import { act, button, call, element, fillTable, keepLooking, onSubmit, suggestServer } from './page.mjs';

const DAY_SECONDS = 24 * 3600;

const does = (name, path, body) => async () => {
  await call('POST', `/devices/${name}/${path}`, body ?? {});
  await look();
};

const powerButton = ({ name, power }) =>
  power === 'awake' ? button('Sleep', does(name, 'sleep')) : button('Wake', does(name, 'wake'));

const rowOf = (device) => [
  element('a', `${device.name} (${device.family})`, { href: `/devices/${device.name}` }),
  device.user.login,
  device.isEnrolled ? `enrolled, ${device.profiles} profiles` : 'none',
  device.oktaVerify ?? 'not managed',
  device.certificates,
  device.lastSignIn
    ? `${device.lastSignIn.result} ${device.lastSignIn.at.slice(0, 16).replace('T', ' ')}`
    : 'never',
  [button('Sign in', does(device.name, 'sign-in')), powerButton(device)],
];

async function look() {
  const [{ devices }, { now }] = await Promise.all([call('GET', '/devices'), call('GET', '/clock')]);
  document.querySelector('#now').textContent = new Date(now).toLocaleString();
  fillTable('#devices', devices.map(rowOf));
  const select = document.querySelector('#enroll select');
  const known = [...select.options].map((option) => option.value);
  const names = devices.map((device) => device.name);
  if (known.join() !== names.join()) select.replaceChildren(...names.map((name) => element('option', name)));
}

document.querySelector('#later').append(
  ...[1, 30, 365].map((days) =>
    button(`${days} ${days === 1 ? 'day' : 'days'} later`, async () => {
      await call('POST', '/clock', { advanceSeconds: days * DAY_SECONDS });
      await look();
    }),
  ),
);
onSubmit('#enroll', async ({ device, url, code }, form) => {
  await call('POST', `/devices/${device}/enroll`, { url, code });
  form.elements.namedItem('code').value = '';
  await look();
});
onSubmit('#add', async ({ family, name, login, signsIn }) => {
  const user = { signsIn, ...(login && { login }) };
  await call('POST', '/devices', { family, ...(name && { name }), user });
  await look();
});
keepLooking(look);
void act(() => suggestServer('#enroll input[name=url]'));
