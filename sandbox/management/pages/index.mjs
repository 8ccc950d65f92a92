// The sandbox's front page: its devices, what they have, and what their owners can do with them.
import { act, button, call, element, fillTable, keepLooking, onSubmit, suggestServer } from './page.mjs';

const DAY_SECONDS = 24 * 3600;

const does = (name, path, body) => async () => {
  await call('POST', `/devices/${name}/${path}`, body ?? {});
  await look();
};

const powerButton = ({ name, power }) =>
  power === 'awake' ? button('Sleep', does(name, 'sleep')) : button('Wake', does(name, 'wake'));

/** So often that it lasts until somebody mends it. */
const ALWAYS = 1_000_000;

/** What can be wrong with a device: how it is called, whether it is so, and the knobs that make it so. */
const BREAKAGES = [
  {
    label: 'Refuse profiles',
    isSo: ({ knobs }) =>
      knobs.breaks.some(({ requestType, times }) => requestType === 'InstallProfile' && times > 0),
    knobs: { breaks: [{ requestType: 'InstallProfile', times: ALWAYS }] },
  },
  {
    label: 'Respond NotNow',
    isSo: ({ knobs }) => (knobs.notNow?.times ?? 0) > 0,
    knobs: { notNow: { times: ALWAYS } },
  },
  { label: 'Fail downloads', isSo: ({ knobs }) => knobs.downloadFails, knobs: { downloadFails: true } },
];
const WHOLE = { breaks: [], notNow: null, downloadFails: false };

const turns = (name, knobs) => async () => {
  await call('PATCH', `/devices/${name}`, { knobs });
  await look();
};

/** Which menus are open, kept while rows are drawn anew. */
const opened = new Set();

function breakMenu(device) {
  const { name, power } = device;
  const broken = BREAKAGES.filter(({ isSo }) => isSo(device));
  const words = [...broken.map(({ label }) => label), ...(power === 'off' ? ['Power off'] : [])];
  const state = words.length === 0 ? 'Break' : `Broken: ${words.join(', ').toLowerCase()}`;
  const menu = element('details', [
    element('summary', state, {
      'aria-label': `${state}, ${name}`,
    }),
    ...BREAKAGES.filter((one) => !broken.includes(one)).map(({ label, knobs }) =>
      button(label, turns(name, knobs)),
    ),
    ...(power === 'off' ? [] : [button('Power off', does(name, 'power-off'))]),
    ...(words.length === 0
      ? []
      : [
          button('Mend', async () => {
            if (power === 'off') await call('POST', `/devices/${name}/wake`, {});
            await turns(name, WHOLE)();
          }),
        ]),
  ]);
  menu.open = opened.has(name);
  menu.addEventListener('toggle', () => (menu.open ? opened.add(name) : opened.delete(name)));
  return menu;
}

/** An install prompt is on the screen. */
const promptButtons = ({ name, oktaVerify }) =>
  oktaVerify?.startsWith('Prompting')
    ? ['Accept', 'Refuse'].map((response) =>
        button(`${response} the app`, does(name, 'answer-prompt', { response: response.toLowerCase() })),
      )
    : [];

const localTime = (at) => element('time', new Date(at).toLocaleString(), { datetime: at });

const rowOf = (device) => [
  element('a', `${device.name} (${device.family})`, { href: `/devices/${device.name}` }),
  device.user.login,
  device.isEnrolled ? `enrolled, ${device.profiles} profiles` : 'none',
  device.oktaVerify ?? 'not managed',
  device.certificates,
  device.lastSignIn ? [`${device.lastSignIn.result} `, localTime(device.lastSignIn.at)] : 'never',
  [
    button('Sign in', does(device.name, 'sign-in')),
    powerButton(device),
    ...promptButtons(device),
    breakMenu(device),
  ],
];

let drawn = '';

async function look() {
  const [{ devices }, { now }] = await Promise.all([call('GET', '/devices'), call('GET', '/clock')]);
  document.querySelector('#now').textContent = new Date(now).toLocaleString();
  // Rows are not touched while nothing changes: who is at a button with the keyboard stays there.
  const seen = JSON.stringify(devices);
  if (seen !== drawn) fillTable('#devices', devices.map(rowOf));
  drawn = seen;
  const select = document.querySelector('#enroll select');
  const known = [...select.options].map((option) => option.value);
  // Nothing is chosen until somebody does: enrolling a device again throws its old enrollment away.
  const names = ['', ...devices.map((device) => device.name)];
  if (known.join() !== names.join())
    select.replaceChildren(
      ...names.map((name) => element('option', name || 'Choose a device', { value: name })),
    );
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
