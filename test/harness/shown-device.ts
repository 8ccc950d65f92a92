// A device as the API shows it, for tests of the command line.
import type { z } from 'zod';
import type { Device } from '../../api/contract/devices.ts';

const ID = '3f0b5f6e-0b1c-4c5e-9d5a-0f7a3c1f2b11';
const AT = '2027-01-02T03:04:05.000Z';

export const shownDevice = (changes: Partial<z.input<typeof Device>> = {}): z.input<typeof Device> => ({
  id: ID,
  family: 'Mac',
  platform: 'macOS',
  name: 'mac-ada',
  serialNumber: 'C02ADA',
  sharesSerialNumber: false,
  udid: 'UDID-ADA',
  model: 'MacBook Air',
  modelName: 'MacBook Air (M2, 2022)',
  osVersion: '26.1',
  isSupervised: true,
  user: 'ada@example.com',
  blueprint: { id: ID, name: 'Test' },
  channel: { kind: 'built_in', name: "Odette's own server" },
  integrationId: ID,
  enrollmentStatus: 'enrolled',
  returnAskedAt: null,
  lastContactAt: AT,
  bucket: 'needs_user',
  truths: {
    delivered: true,
    certificatePresent: true,
    oktaVerifyManaged: true,
    registered: false,
    managed: false,
  },
  phase: 'delivered',
  waitsFor: 'Waits for the first sign-in of ada@example.com.',
  nextStep: { owner: 'user', text: 'Waits for the first sign-in of ada@example.com.', action: 'ask_okta' },
  obstacle: null,
  failureCode: null,
  certificateNotAfter: AT,
  trustedAt: null,
  ...changes,
});
