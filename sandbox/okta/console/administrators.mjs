// Security > Administrators > Roles: custom roles, which an API Services app may be given.
import {
  button,
  call,
  cancelButton,
  choice,
  element,
  field,
  group,
  heading,
  openDialog,
  paragraph,
  table,
} from './parts.mjs';

const PERMISSIONS = [
  ['okta.devices.read', 'View devices'],
  ['okta.devices.manage', 'Manage devices'],
  ['okta.authenticators.read', 'View authenticators'],
  ['okta.users.read', 'View users'],
  ['okta.logs.read', 'View the System Log'],
];

function createRole({ show }) {
  const dialog = openDialog('Create new role');
  const form = element('form', [
    field('Role name', { name: 'name', required: '', autocomplete: 'off' }),
    group(
      'Permissions',
      PERMISSIONS.map(([value, label]) => choice('checkbox', 'permissions', value, label)),
    ),
  ]);
  form.addEventListener('submit', (event) => event.preventDefault());
  dialog.draw(form, [
    cancelButton(dialog),
    button('Save role', () =>
      dialog.attempt(async () => {
        const data = new FormData(form);
        const permissions = data.getAll('permissions');
        if (!form.reportValidity()) return;
        if (permissions.length === 0) throw new Error('Select at least one permission.');
        await call('POST', '/custom-roles', { name: data.get('name'), permissions });
        dialog.close();
        await show();
      }),
    ),
  ]);
}

export async function showAdministrators(context) {
  const labels = new Map(PERMISSIONS);
  return [
    heading(1, 'Administrators: roles'),
    paragraph('Standard roles: Super Administrator, Read-Only Administrator, Help Desk Administrator.'),
    element(
      'p',
      button('Create new role', async () => createRole(context)),
    ),
    table(
      'Custom roles',
      ['Custom role', 'Permissions'],
      context.tenant.customRoles.map(({ name, permissions }) => [
        name,
        permissions.map((permission) => labels.get(permission)).join(', '),
      ]),
    ),
  ];
}
