// A pretend tenant's admin console, as far as the wizard sends its admin there.
import {
  act,
  button,
  call,
  element,
  fillTable,
  keepLooking,
  onSubmit,
  reveal,
  suggestServer,
} from './page.mjs';

const tenant = location.pathname.replace(/\/$/, '');
const SCOPES = ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'];

const showMac = ({ scepUrl, challengeUrl, username, password }) =>
  reveal('#macos-values', {
    'SCEP URL': scepUrl,
    'Challenge URL': challengeUrl,
    Username: username,
    Password: password,
  });
const showIos = ({ secretKey }) => reveal('#ios-values', { 'Secret key': secretKey });

const resetButton = (platform) =>
  platform.platform === 'macOS'
    ? button('Reset password', async () =>
        showMac({
          ...platform,
          ...(await call('POST', `${tenant}/platforms/macos/${platform.id}/reset-password`, {})),
        }),
      )
    : button('Reset secret key', async () =>
        showIos(await call('POST', `${tenant}/platforms/ios/${platform.id}/reset-secret-key`, {})),
      );

const deleteButton = ({ platform, id }) =>
  button('Delete', async () => {
    const question = `Delete the ${platform} platform? What Odette was given for it is refused from then on.`;
    if (!confirm(question)) return;
    await call('DELETE', `${tenant}/platforms/${id}`);
    reveal(platform === 'macOS' ? '#macos-values' : '#ios-values', {});
    await look();
  });

async function look() {
  const [{ host, platforms, users }, devices] = await Promise.all([
    call('GET', tenant).then(async (overview) => ({
      ...overview,
      users: await call('GET', `${tenant}/users`),
    })),
    call('GET', `${tenant}/devices`),
  ]);
  document.querySelector('#host').textContent = host;
  document
    .querySelector('#platforms')
    .replaceChildren(
      ...(platforms.length === 0
        ? ['No platform yet.']
        : platforms.flatMap((one) => [
            element('span', [`${one.platform} `, resetButton(one), deleteButton(one)]),
            ' ',
          ])),
    );
  const loginOf = (id) => users.find((user) => user.id === id)?.login ?? id;
  fillTable(
    '#devices',
    devices.map(({ profile, status, users: owners }) => [
      profile.displayName,
      profile.platform,
      profile.serialNumber ?? 'not told',
      status,
      owners.map((owner) => element('div', `${loginOf(owner.userId)}: ${owner.managementStatus}`)),
    ]),
  );
}

const onClick = (selector, action) =>
  document.querySelector(selector).addEventListener('click', () => void act(action));

onClick('#install', async () => {
  const { clientId, clientSecret } = await call('POST', `${tenant}/api-service-integrations`, {});
  reveal('#integration', { 'Client ID': clientId, 'Client secret': clientSecret });
});
onSubmit('#app', async ({ jwk }) => {
  const app = { scopes: SCOPES, roles: ['SUPER_ADMIN'], publicJwks: [JSON.parse(jwk)], dpop: false };
  const { clientId } = await call('POST', `${tenant}/api-services-apps`, app);
  reveal('#app-values', { 'Client ID': clientId });
});
onClick('#macos', async () => {
  showMac(await call('POST', `${tenant}/platforms/macos`, {}));
  await look();
});
onSubmit('#ios', async ({ providerName, enrollmentLink }) => {
  showIos(await call('POST', `${tenant}/platforms/ios`, { providerName, enrollmentLink }));
  await look();
});
keepLooking(look);
void act(() => suggestServer('#ios input[name=enrollmentLink]', '/enroll'));
