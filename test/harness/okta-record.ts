// What Okta's Devices API would say of a device of the tests' fleet.
import { randomUUID } from 'node:crypto';
import type { OktaDevice } from '../../adapters/okta/okta-device.ts';
import type { Database } from '../../adapters/store/base/database.ts';

/** A registered Mac on which one user has signed in. */
export async function oktaRecordOf(
  database: Database,
  deviceId: string,
  changes: Partial<OktaDevice> = {},
): Promise<OktaDevice> {
  const [row] = await database.query<{ serialNumber: string }>(
    'select serial_number from devices where id = $1',
    [deviceId],
  );
  return {
    id: `guo${randomUUID()}`,
    platform: 'MACOS',
    displayName: 'Mac',
    status: 'ACTIVE',
    registered: true,
    created: new Date().toISOString(),
    lastUpdated: new Date().toISOString(),
    serialNumber: row?.serialNumber ?? '',
    users: [{ id: 'u1', login: 'ada@acme.com', managementStatus: 'MANAGED' }],
    ...changes,
  };
}
