// Security > Authenticators: Okta Verify, and FastPass as its option.
import {
  actionsMenu,
  button,
  call,
  cancelButton,
  choice,
  heading,
  openDialog,
  paragraph,
  table,
} from './parts.mjs';

const STATUS = { active: 'Active', inactive: 'Inactive', missing: 'Not added', split: 'Active' };

function editOktaVerify({ tenant, show }) {
  const { fastPass } = tenant.knobs.authenticators;
  const dialog = openDialog('Okta Verify');
  const option = choice('checkbox', 'fastPass', 'on', 'Okta FastPass (all platforms)', fastPass);
  dialog.draw(option, [
    cancelButton(dialog),
    button('Save', () =>
      dialog.attempt(async () => {
        const isOn = option.querySelector('input').checked;
        await call('PATCH', '/knobs', { authenticators: { fastPass: isOn } });
        dialog.close();
        await show();
      }),
    ),
  ]);
}

export async function showAuthenticators(context) {
  const { oktaVerify, fastPass } = context.tenant.knobs.authenticators;
  return [
    heading(1, 'Authenticators'),
    paragraph('Okta Device Trust needs Okta Verify, and Okta FastPass as its option.'),
    table(
      'Authenticators',
      ['Authenticator', 'Status', 'Okta FastPass', 'Actions'],
      [
        ['Password', 'Active', '', ''],
        [
          'Okta Verify',
          STATUS[oktaVerify],
          fastPass ? 'On' : 'Off',
          oktaVerify === 'missing'
            ? ''
            : actionsMenu('Okta Verify', [button('Edit', async () => editOktaVerify(context))]),
        ],
      ],
    ),
  ];
}
