// Security > Device integrations: the platforms of the tenant, their resets and deletion, and "Add platform".
import { addPlatform } from './add-platform.mjs';
import {
  actionsMenu,
  button,
  call,
  confirmDialog,
  element,
  heading,
  paragraph,
  secretDialog,
  tabList,
  table,
  tabOf,
} from './parts.mjs';

const TABS = [
  { id: 'endpoint-management', title: 'Endpoint management' },
  { id: 'device-access', title: 'Device Access' },
];

/** What each platform can have reset. */
const RESETS = {
  macOS: {
    label: 'Reset password',
    name: 'Password',
    path: 'reset-password',
    of: ({ password }) => password,
  },
  iOS: {
    label: 'Reset secret key',
    name: 'Secret key',
    path: 'reset-secret-key',
    of: ({ secretKey }) => secretKey,
  },
};

function resetButton({ platform, id }, { show }) {
  const { label, name, path, of } = RESETS[platform];
  return button(label, async () =>
    confirmDialog({
      title: `${label}?`,
      text: `The ${name.toLowerCase()} of the ${platform} platform is void at once. What uses it is refused until it has the new one.`,
      label: 'Reset',
      work: async () => {
        const made = await call('POST', `/platforms/${platform.toLowerCase()}/${id}/${path}`, {});
        secretDialog({ title: `New ${name.toLowerCase()}`, name, value: of(made), after: show });
      },
    }),
  );
}

const deleteButton = ({ platform, id }, { show }) =>
  button('Delete', async () =>
    confirmDialog({
      title: `Delete the ${platform} platform?`,
      text: 'What Odette was given for it is refused from then on. Certificates that were issued stay valid.',
      label: 'Delete',
      work: () => call('DELETE', `/platforms/${id}`).then(show),
    }),
  );

export async function showDeviceIntegrations(context) {
  const tab = tabOf(TABS);
  const top = [heading(1, 'Device integrations'), tabList('Kinds of device integrations', TABS, tab)];
  if (tab === 'device-access')
    return [
      ...top,
      paragraph(
        'In Okta this tab also hands out SCEP addresses. Their certificates never make a device managed, so the sandbox has none of them.',
      ),
    ];
  const { platforms } = context.tenant;
  return [
    ...top,
    element(
      'p',
      button('Add platform', async () => addPlatform(context)),
    ),
    platforms.length === 0
      ? paragraph('No platform yet.')
      : table(
          'Platforms',
          ['Platform', 'Management attestation', 'Actions'],
          platforms.map((one) => [
            one.platform,
            one.platform === 'macOS'
              ? 'Okta as certificate authority, dynamic SCEP URL'
              : `Secret key, ${one.providerName}`,
            actionsMenu(one.platform, [resetButton(one, context), deleteButton(one, context)]),
          ]),
        ),
  ];
}
