// Applications > Applications: an API Services app of the tenant's own, with its public key, scopes and admin roles.
import {
  button,
  call,
  cancelButton,
  choice,
  copyValue,
  element,
  field,
  go,
  group,
  heading,
  link,
  openDialog,
  paragraph,
  tabList,
  table,
  tabOf,
} from './parts.mjs';

const LIST = '/admin/apps/active';
const SCOPES = [
  'okta.apps.read',
  'okta.authenticators.read',
  'okta.devices.manage',
  'okta.devices.read',
  'okta.logs.read',
  'okta.users.read',
];
const STANDARD_ROLES = [
  ['HELP_DESK_ADMIN', 'Help Desk Administrator'],
  ['READ_ONLY_ADMIN', 'Read-Only Administrator'],
  ['SUPER_ADMIN', 'Super Administrator'],
];
const TABS = [
  { id: 'general', title: 'General' },
  { id: 'scopes', title: 'Okta API Scopes' },
  { id: 'roles', title: 'Admin roles' },
];

function createApp() {
  const dialog = openDialog('Create a new app integration');
  const kinds = group('Sign-in method', [
    choice('radio', 'kind', 'oidc', 'OIDC - OpenID Connect'),
    choice('radio', 'kind', 'saml', 'SAML 2.0'),
    choice('radio', 'kind', 'service', 'API Services'),
  ]);
  const askName = () => {
    const name = field('App integration name', { name: 'name', required: '', autocomplete: 'off' });
    dialog.draw(name, [
      cancelButton(dialog),
      button('Save', () =>
        dialog.attempt(async () => {
          if (!name.querySelector('input').reportValidity()) return;
          const { clientId } = await call('POST', '/api-services-apps', {
            name: name.querySelector('input').value,
          });
          go(`/admin/apps/app/${clientId}`);
        }),
      ),
    ]);
  };
  dialog.draw(kinds, [
    cancelButton(dialog),
    button('Next', () =>
      dialog.attempt(async () => {
        const kind = kinds.querySelector(':checked')?.value;
        if (kind === undefined) throw new Error('Select a sign-in method.');
        if (kind !== 'service')
          throw new Error('An app of this kind cannot sign in as a service. Select API Services.');
        askName();
      }),
    ),
  ]);
}

export async function showApps({ tenant }) {
  const apps = tenant.clients.filter(({ kind }) => kind === 'api_services_app');
  return [
    heading(1, 'Applications'),
    element(
      'p',
      button('Create App Integration', async () => createApp()),
    ),
    table(
      'Applications',
      ['App', 'Client ID'],
      apps.map(({ name, clientId }) => [link(name, `/admin/apps/app/${clientId}`), clientId]),
    ),
  ];
}

/** @throws Error when it is no public key that Okta takes */
function readPublicKey(text) {
  let jwk;
  try {
    jwk = JSON.parse(text);
  } catch {
    throw new Error('This is no JSON.');
  }
  if (typeof jwk !== 'object' || jwk === null) throw new Error('This is no JWK.');
  if ('d' in jwk) throw new Error('This is a private key. Paste the public key.');
  if (!('kty' in jwk) || !('kid' in jwk)) throw new Error('A JWK needs kty and kid.');
  return jwk;
}

function addKey(app, { show }) {
  const dialog = openDialog('Add a public key');
  const key = field('Paste your public key here (JWK)', { name: 'jwk', rows: '8' }, 'textarea');
  dialog.draw(key, [
    cancelButton(dialog),
    button('Done', () =>
      dialog.attempt(async () => {
        const jwk = readPublicKey(key.querySelector('textarea').value);
        await call('PATCH', `/api-services-apps/${app.clientId}`, { publicJwks: [...app.publicJwks, jwk] });
        dialog.close();
        await show();
      }),
    ),
  ]);
}

function generalTab(app, context) {
  const change = (settings) =>
    call('PATCH', `/api-services-apps/${app.clientId}`, settings).then(context.show);
  const dpop = choice(
    'checkbox',
    'dpop',
    'on',
    'Require Demonstrating Proof of Possession (DPoP) header in token requests',
    app.dpop,
  );
  return [
    heading(2, 'Client Credentials'),
    copyValue('Client ID', app.clientId),
    paragraph(
      app.publicJwks.length === 0
        ? 'Client authentication: no public key yet, so nobody can sign in.'
        : 'Client authentication: Public key / Private key',
    ),
    table(
      'Public keys',
      ['Key ID', 'Actions'],
      app.publicJwks.map((jwk) => [
        String(jwk.kid),
        button('Delete', () => change({ publicJwks: app.publicJwks.filter((one) => one !== jwk) })),
      ]),
    ),
    element(
      'p',
      button('Add key', async () => addKey(app, context)),
    ),
    heading(2, 'General Settings'),
    dpop,
    element(
      'p',
      button('Save', () => change({ dpop: dpop.querySelector('input').checked })),
    ),
  ];
}

const scopesTab = (app, { show }) => [
  paragraph('An app may use only the scopes that are granted here.'),
  table(
    'Okta API Scopes',
    ['Scope', 'Consent'],
    SCOPES.map((scope) => {
      const isGranted = app.scopes.includes(scope);
      const scopes = isGranted ? app.scopes.filter((one) => one !== scope) : [...app.scopes, scope];
      const act = button(isGranted ? 'Revoke' : 'Grant', () =>
        call('PATCH', `/api-services-apps/${app.clientId}`, { scopes }).then(show),
      );
      act.setAttribute('aria-label', `${isGranted ? 'Revoke' : 'Grant'} ${scope}`);
      return [element('code', scope), [isGranted ? 'Granted ' : 'Not granted ', act]];
    }),
  ),
];

function editAssignments(app, { tenant, show }) {
  const dialog = openDialog('Edit assignments');
  const known = [...STANDARD_ROLES, ...tenant.customRoles.map(({ id, name }) => [id, name])];
  const roles = group(
    'Roles',
    known.map(([value, label]) => choice('checkbox', 'roles', value, label, app.roles.includes(value))),
  );
  dialog.draw(
    [
      roles,
      element('p', [
        'A role of your own is made under ',
        link('Security > Administrators', '/admin/access/administrators'),
        '.',
      ]),
    ],
    [
      cancelButton(dialog),
      button('Save changes', () =>
        dialog.attempt(async () => {
          const chosen = [...roles.querySelectorAll(':checked')].map(({ value }) => value);
          await call('PATCH', `/api-services-apps/${app.clientId}`, { roles: chosen });
          dialog.close();
          await show();
        }),
      ),
    ],
  );
}

function rolesTab(app, context) {
  const names = new Map([...STANDARD_ROLES, ...context.tenant.customRoles.map(({ id, name }) => [id, name])]);
  return [
    paragraph(
      app.roles.length === 0
        ? 'No role: the API refuses every call of this app, whatever its scopes.'
        : `Roles: ${app.roles.map((role) => names.get(role) ?? role).join(', ')}`,
    ),
    element(
      'p',
      button('Edit assignments', async () => editAssignments(app, context)),
    ),
  ];
}

export async function showApp(context) {
  const app = context.tenant.clients.find(
    ({ kind, clientId }) => kind === 'api_services_app' && clientId === context.part,
  );
  if (!app) return [heading(1, 'No such app'), link('Applications', LIST)];
  const tab = tabOf(TABS);
  const content = { general: generalTab, scopes: scopesTab, roles: rolesTab }[tab];
  return [heading(1, app.name), tabList('Parts of the app', TABS, tab), ...content(app, context)];
}
