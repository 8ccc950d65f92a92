// Directory > Devices: what the tenant knows of each device, and whose it is.
import { call, element, heading, table } from './parts.mjs';

export async function showDevices() {
  const [devices, users] = await Promise.all([call('GET', '/devices'), call('GET', '/users')]);
  const loginOf = (id) => users.find((user) => user.id === id)?.login ?? id;
  return [
    heading(1, 'Devices'),
    table(
      'Devices',
      ['Device', 'Platform', 'Serial number', 'Status', 'Users'],
      devices.map(({ profile, status, users: owners }) => [
        profile.displayName,
        profile.platform,
        profile.serialNumber ?? 'not told',
        status,
        owners.map(({ userId, managementStatus }) =>
          element('div', `${loginOf(userId)}: ${managementStatus}`),
        ),
      ]),
    ),
  ];
}
