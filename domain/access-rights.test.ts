// The rights of the enrollment profile, as docs/decisions/0011-access-rights.md gives their reasons: enough for every command that is
// sent or planned, and nothing more.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CommandSpec } from '../adapters/mdm/command.ts';
import { ACCESS_RIGHTS, ACCESS_RIGHTS_PRESETS, accessRightsOf } from './access-rights.ts';

const {
  inspectProfiles,
  installProfiles,
  lockAndRemovePasscode,
  eraseDevice,
  queryDevice,
  inspectApps,
  querySecurity,
  changeSettings,
  manageApps,
} = ACCESS_RIGHTS;

/** `accessrights` of each command in Apple's schema (mdm/commands/*.yaml); Settings also that of its item. */
const SENT: Record<CommandSpec['requestType'], readonly number[]> = {
  DeviceInformation: [queryDevice],
  InstallProfile: [installProfiles],
  RemoveProfile: [installProfiles],
  ProfileList: [inspectProfiles],
  CertificateList: [inspectProfiles],
  InstallApplication: [manageApps],
  RemoveApplication: [manageApps],
  Settings: [changeSettings, manageApps],
  ManagedApplicationConfiguration: [manageApps],
  ManagedApplicationList: [manageApps],
  InstalledApplicationList: [inspectApps],
};
const PLANNED = { SecurityInfo: [querySecurity] };
const FOR_OTHER_TOOLS = {
  DeviceLock: [lockAndRemovePasscode],
  ClearPasscode: [lockAndRemovePasscode],
  RestartDevice: [lockAndRemovePasscode],
  EraseDevice: [eraseDevice],
};

const record = readFileSync(new URL('../docs/decisions/0011-access-rights.md', import.meta.url), 'utf8');
const rows = [...record.matchAll(/^\| (\d+) +\| ([^|]+)\| (yes|no) +\| ([^|]+)\| ([^|]+)\|$/gm)].map(
  ([, bit, , trustOnly, commands, reason]) => ({
    bit: Number(bit),
    isTrustOnly: trustOnly === 'yes',
    commands: (commands ?? '').match(/[A-Z]\w+/g) ?? [],
    reason: (reason ?? '').trim(),
  }),
);
const has = (preset: 'trust_only' | 'full', bits: readonly number[]) =>
  bits.every((bit) => (accessRightsOf(preset) & bit) === bit);

describe('each right', () => {
  test('stands in the record once, with its commands and its reason', () => {
    expect(rows.map(({ bit }) => bit)).toEqual(Object.values(ACCESS_RIGHTS));
    for (const { commands, reason } of rows)
      expect([commands.length > 0, reason.length > 10]).toEqual([true, true]);
  });

  test('is asked for by the presets as the record says', () => {
    expect(rows.filter(({ isTrustOnly }) => isTrustOnly).reduce((all, { bit }) => all + bit, 0)).toBe(
      accessRightsOf('trust_only'),
    );
    expect(accessRightsOf('full')).toBe(8191);
    for (const preset of ACCESS_RIGHTS_PRESETS)
      expect(record).toContain(`(\`${preset}\`, ${accessRightsOf(preset)})`);
  });

  test('comes with the one that Apple requires beside it', () => {
    for (const preset of ACCESS_RIGHTS_PRESETS) {
      const rights = accessRightsOf(preset);
      if (rights & 2) expect(rights & 1).toBe(1);
      if (rights & 128) expect(rights & 64).toBe(64);
    }
  });
});

describe('each command', () => {
  test.each(Object.entries({ ...SENT, ...PLANNED }))('%s is allowed by both presets', (requestType, bits) => {
    expect(has('trust_only', bits)).toBe(true);
    expect(has('full', bits)).toBe(true);
    for (const bit of bits) expect(rows.find((row) => row.bit === bit)?.commands).toContain(requestType);
  });

  test.each(Object.entries(FOR_OTHER_TOOLS))('%s is allowed by “full” alone', (requestType, bits) => {
    expect(has('trust_only', bits)).toBe(false);
    expect(has('full', bits)).toBe(true);
    for (const bit of bits) expect(rows.find((row) => row.bit === bit)?.commands).toContain(requestType);
  });

  test('needs every right of “trust only”: none is asked for in vain', () => {
    const needed = Object.values({ ...SENT, ...PLANNED }).flat();
    expect(needed.reduce((all, bit) => all | bit, 0)).toBe(accessRightsOf('trust_only'));
  });
});
