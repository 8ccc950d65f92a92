// A device as Okta's Devices API tells it, brought to one form.
import { z } from 'zod';
import { recordedText } from '../../domain/recorded-text.ts';

export interface OktaDeviceUser {
  readonly id: string;
  /** The user name in Okta; '' when Okta does not show it. */
  readonly login: string;
  /** Per user; flips only after a FastPass sign-in made after the certificate was issued. */
  readonly managementStatus: 'MANAGED' | 'NOT_MANAGED';
}

export interface OktaDevice {
  readonly id: string;
  /** MACOS, IOS, WINDOWS, ANDROID, or what Okta adds. */
  readonly platform: string;
  /** iPhones and iPads give Okta no serial number and no UDID. */
  readonly serialNumber?: string;
  readonly udid?: string;
  readonly model?: string;
  readonly osVersion?: string;
  readonly displayName: string;
  /** ACTIVE, DEACTIVATED, SUSPENDED, UNSUSPENDED; CREATED is seen too. */
  readonly status: string;
  readonly registered: boolean;
  readonly users: readonly OktaDeviceUser[];
  readonly created: string; // ISO 8601
  readonly lastUpdated: string; // ISO 8601
}

/** Names come from devices and people. */
const held = z.string().transform(recordedText);
const text = held.nullish();
/** The SDK makes a Date of every date and time. */
const instant = z
  .date()
  .optional()
  .transform((date) => date?.toISOString() ?? '');

/** Read leniently: Okta adds fields and breaks its own schema in places; only what Odette decides by must be there. */
export const DeviceUserResponse = z.object({
  managementStatus: z.string().nullish(),
  user: z.object({ id: held, profile: z.object({ login: text }).nullish() }),
});

export const DeviceResponse = z.object({
  id: held.pipe(z.string().min(1)),
  status: held.default('ACTIVE'),
  created: instant,
  lastUpdated: instant,
  profile: z.object({
    displayName: text,
    platform: held,
    registered: z.boolean().nullish(),
    serialNumber: text,
    udid: text,
    model: text,
    osVersion: text,
  }),
  _embedded: z.object({ users: z.array(DeviceUserResponse).nullish() }).nullish(),
});

const definedProps = <Key extends string>(key: Key, value: string | null | undefined) =>
  value === null || value === undefined || value === '' ? {} : ({ [key]: value } as Record<Key, string>);

export const readUser = (response: z.infer<typeof DeviceUserResponse>): OktaDeviceUser => ({
  id: response.user.id,
  login: response.user.profile?.login ?? '',
  managementStatus: response.managementStatus === 'MANAGED' ? 'MANAGED' : 'NOT_MANAGED',
});

export const readDevice = (response: z.infer<typeof DeviceResponse>): OktaDevice => ({
  id: response.id,
  platform: response.profile.platform,
  displayName: response.profile.displayName ?? '',
  status: response.status,
  registered: response.profile.registered ?? false,
  created: response.created,
  lastUpdated: response.lastUpdated,
  users: (response._embedded?.users ?? []).map(readUser),
  ...definedProps('serialNumber', response.profile.serialNumber),
  ...definedProps('udid', response.profile.udid),
  ...definedProps('model', response.profile.model),
  ...definedProps('osVersion', response.profile.osVersion),
});
