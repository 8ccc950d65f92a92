// Applications > API Service Integrations: add from the catalogue, Install & Authorize, the client secret once, the overview.
import {
  actionsMenu,
  button,
  call,
  confirmDialog,
  copyValue,
  element,
  go,
  heading,
  link,
  paragraph,
  secretDialog,
  table,
} from './parts.mjs';

const NAME = 'Odette Device Trust';
const LIST = '/admin/apps/api-services';
/** Of the catalogue's entry: who installs it cannot choose. */
const SCOPES = ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'];

const scopeList = (scopes) =>
  element(
    'ul',
    scopes.map((scope) => element('li', element('code', scope))),
  );

export async function showIntegrations({ tenant }) {
  const installed = tenant.clients.filter(({ kind }) => kind === 'api_service_integration');
  return [
    heading(1, 'API Service Integrations'),
    element(
      'p',
      button('Add integration', async () => go(`${LIST}/add`)),
    ),
    table(
      'API Service Integrations',
      ['Integration', 'Client ID'],
      installed.map(({ clientId }) => [link(NAME, `${LIST}/${clientId}`), clientId]),
    ),
  ];
}

export async function showCatalog() {
  return [
    heading(1, 'Add API Service Integration'),
    paragraph(
      'The pretend catalogue lists Odette. The real one does not yet: there, create an API Services app instead.',
      'hint',
    ),
    table('Catalogue', ['Integration'], [[link(NAME, `${LIST}/authorize`)]]),
  ];
}

export async function showAuthorize() {
  return [
    heading(1, `Authorize ${NAME} integration`),
    paragraph(`${NAME} will be able to use these scopes in this tenant:`),
    scopeList(SCOPES),
    element('p', [
      button('Cancel', async () => go(LIST)),
      button('Install & Authorize', async () => {
        const { clientId, clientSecret } = await call('POST', '/api-service-integrations', {});
        secretDialog({
          title: 'Copy your client secret',
          name: 'Client secret',
          value: clientSecret,
          after: () => go(`${LIST}/${clientId}`),
        });
      }),
    ]),
  ];
}

export async function showIntegration({ tenant, part, show }) {
  const client = tenant.clients.find(
    ({ kind, clientId }) => kind === 'api_service_integration' && clientId === part,
  );
  if (!client) return [heading(1, 'No such integration'), link('API Service Integrations', LIST)];
  const path = `/api-service-integrations/${client.clientId}`;
  const remove = (secret) =>
    button('Delete', async () =>
      confirmDialog({
        title: 'Delete this client secret?',
        text: 'Whoever signs in with it is refused from then on.',
        label: 'Delete',
        work: () => call('DELETE', `${path}/secrets/${secret}`).then(show),
      }),
    );
  return [
    heading(1, `${NAME}: overview`),
    copyValue('Client ID', client.clientId),
    heading(2, 'Scopes'),
    scopeList(client.scopes),
    heading(2, 'Client secrets'),
    table(
      'Client secrets',
      ['Secret', 'Actions'],
      client.secrets.map(({ id }) => [id, actionsMenu(id, [remove(id)])]),
    ),
    element('p', [
      button('Generate new secret', async () => {
        if (client.secrets.length >= 2) throw new Error('There are two secrets. Delete one first.');
        const { clientSecret } = await call('POST', `${path}/secrets`, {});
        secretDialog({
          title: 'Copy your client secret',
          name: 'Client secret',
          value: clientSecret,
          after: show,
        });
      }),
      button('Revoke integration', async () =>
        confirmDialog({
          title: `Revoke ${NAME}?`,
          text: 'Its credentials and tokens are void at once.',
          label: 'Revoke',
          work: () => call('DELETE', path).then(() => go(LIST)),
        }),
      ),
    ]),
  ];
}
