// Macs to which Iru (Kandji), Jamf Pro or Fleet have given Okta's certificate, SSO extension and settings are taken over by Odette beside their NanoMDM server: at
// every moment each has a valid Okta certificate. TAKEOVER_MACS=50 takes fifty. Needs Go.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nanoMdmIsMissing } from '../harness/nanomdm.ts';
import { startNanoMdmWorld, type NanoMdmWorld } from '../harness/nanomdm-world.ts';
import { OtherMdm, VENDORS, type Vendor } from '../harness/other-mdm.ts';
import * as pretend from '../harness/pretend-devices.ts';
import { devicesOf, untilAllAre } from '../harness/stage.ts';
import { eventually } from '../harness/world.ts';

const MACS = Number(process.env['TAKEOVER_MACS'] ?? 4);
const WITHIN_MS = 180_000 + MACS * 20_000;
/** Odette's certificate does not come to it at first. */
const LATE = 'taken-1';

interface Summary {
  readonly name: string;
  readonly udid: string;
  readonly serialNumber: string;
  readonly lastSignIn: { readonly result: string; readonly certificateSerial?: string } | null;
}
interface Taken extends pretend.PretendDevice {
  readonly keychainHistory: readonly { readonly at: string; readonly identities: readonly string[] }[];
  readonly profiles: { isManaged: boolean; uuid: string; identifier: string }[];
}
interface Issued {
  readonly serialNumber: string;
  readonly notAfter: number;
  readonly revoked?: string;
}

describe.skipIf(nanoMdmIsMissing() !== undefined)('devices of another MDM', () => {
  let beside: NanoMdmWorld;
  let other: OtherMdm;
  const names = Array.from({ length: MACS }, (_, index) => `taken-${index + 1}`);
  const vendorOf = (name: string): Vendor => VENDORS[names.indexOf(name) % VENDORS.length] ?? 'Fleet';

  const onSandbox = (name: string) => beside.world.manage<Taken>('GET', `/devices/${name}`);
  const summaries = async () =>
    (await beside.world.manage<{ devices: Summary[] }>('GET', '/devices')).devices;
  const idsByUdid = async () =>
    new Map((await devicesOf(beside.trusted)).map(({ udid, id }) => [udid, id] as const));
  const causesOf = async (name: string) => {
    const id = (await idsByUdid()).get((await onSandbox(name)).hardware.udid) ?? '';
    const { items } = await beside.trusted.stage.odette.call('get /api/devices/{id}/doctor', {
      params: { id },
    });
    return new Map(items.map(({ cause, evidence }) => [cause as string, evidence] as const));
  };
  const rolledOut = (isLate: boolean) => async () => {
    const late = (await onSandbox(LATE)).hardware.udid;
    return (await devicesOf(beside.trusted)).filter(({ udid }) => (udid === late) === isLate);
  };
  const replay = (deviceIds: string[]) =>
    beside.trusted.stage.odette.call('post /api/rollouts/replay', { body: { deviceIds } });

  /** Moments since its first Okta certificate in which it held none that was valid. */
  async function momentsWithout(name: string): Promise<string[]> {
    const issued = await beside.world.manage<Issued[]>('GET', '/tenants/one/certificates');
    const isValid = (serialNumber: string, at: string) =>
      issued.some(
        (each) =>
          each.serialNumber === serialNumber && each.revoked === undefined && Date.parse(at) < each.notAfter,
      );
    const { keychainHistory } = await onSandbox(name);
    const isCovered = ({ at, identities }: Taken['keychainHistory'][number]) =>
      identities.some((serialNumber) => isValid(serialNumber, at));
    const first = keychainHistory.findIndex(isCovered);
    if (first === -1) throw new Error(`${name} never had an Okta certificate`);
    return keychainHistory
      .slice(first)
      .filter((moment) => !isCovered(moment))
      .map(({ at }) => at);
  }

  beforeAll(async () => {
    beside = await startNanoMdmWorld();
    other = await OtherMdm.start(beside);
    const { world, scenario } = beside;
    for (const name of names) {
      const { hardware } = await scenario.addMac(name);
      await world.manage('POST', `/devices/${name}/install-okta-verify`, {});
      await scenario.enroll(name);
      await other.give({ udid: scenario.udidOf(name), serialNumber: hardware.serialNumber }, vendorOf(name));
    }
  }, WITHIN_MS);
  afterAll(() => beside?.stop(), 60_000);

  test(
    'before: each is managed in Okta by the certificate of the other tool',
    async () => {
      const all = await eventually(
        summaries,
        (devices) => devices.every(({ lastSignIn }) => lastSignIn?.result === 'managed'),
        { withinMs: WITHIN_MS, what: 'all are managed', everyMs: 500 },
      );
      expect(all).toHaveLength(MACS);
      expect(await devicesOf(beside.trusted)).toEqual([]);
    },
    WITHIN_MS,
  );

  test(
    "adopted, each gets Odette's certificate beside the other one, and the doctor says what is in the way, and whose",
    async () => {
      const knobs = { breaks: [{ requestType: 'InstallProfile', times: 1000, profile: 'certificate' }] };
      await beside.world.manage('PATCH', `/devices/${LATE}`, { knobs });
      const channelId = await beside.connect();
      const udids = names.map((name) => beside.scenario.udidOf(name));
      expect(
        await beside.trusted.stage.odette.call('post /api/channels/{id}/devices', {
          params: { id: channelId },
          body: { udids },
        }),
      ).toMatchObject({ asked: MACS, refused: [] });
      await eventually(
        rolledOut(false),
        (all) =>
          all.length === MACS - 1 && all.every(({ failureCode }) => failureCode === 'mdm.sso_host_claimed'),
        { withinMs: WITHIN_MS, what: 'the host is claimed by the other tool on each', everyMs: 500 },
      );
      for (const name of names.slice(1)) {
        expect(pretend.certificatesOf(await onSandbox(name)), name).toHaveLength(2);
        const causes = await causesOf(name);
        const vendor = vendorOf(name);
        const profile = `The device lists "Okta Device Trust" of ${vendor} with`;
        expect(causes.get('host_claimed')).toContain(`${profile} com.apple.extensiblesso.`);
        expect(causes.get('foreign_scep_profile')).toBe(`${profile} com.apple.security.scep.`);
        expect(causes.get('foreign_certificate')).toContain('managementAttestation');
        if (vendor === 'Fleet') expect(causes.get('foreign_certificate')).toContain('requested by Fleet');
        expect(causes.get('foreign_settings')).toContain(`"Okta Verify" of ${vendor} with com.okta.mobile`);
      }
    },
    WITHIN_MS,
  );

  test(
    "a Mac without Odette's certificate still needs the other one, and the doctor says so",
    async () => {
      await eventually(
        rolledOut(true),
        ([late]) => late?.bucket === 'needs_you' && late.failureCode !== null,
        { withinMs: WITHIN_MS, what: 'its rollout failed', everyMs: 500 },
      );
      expect(pretend.certificatesOf(await onSandbox(LATE))).toHaveLength(1);
      const causes = await causesOf(LATE);
      expect(causes.get('foreign_certificate_needed')).toContain('managementAttestation');
      expect([...causes.keys()]).not.toContain('foreign_certificate');
      expect([...causes.keys()]).not.toContain('foreign_scep_profile');
    },
    WITHIN_MS,
  );

  test(
    "once the other tool took its own away where the doctor says so, each is trusted by Odette's certificate",
    async () => {
      const isReady = async (name: string): Promise<boolean> => {
        const causes = await causesOf(name);
        return causes.has('foreign_certificate') && !causes.has('foreign_certificate_needed');
      };
      const takeOver = async (name: string): Promise<void> => {
        const { udid } = (await onSandbox(name)).hardware;
        await other.takeAway({ udid }, vendorOf(name));
        await eventually(
          () => onSandbox(name),
          ({ profiles }) => profiles.every(({ identifier }) => !other.names(identifier)),
          { withinMs: WITHIN_MS, what: `${name} has nothing of the other tool`, everyMs: 500 },
        );
        await replay([(await idsByUdid()).get(udid) ?? '']);
      };
      for (const name of names) if (await isReady(name)) await takeOver(name);
      await untilAllAre(beside.trusted, ['trusted'], { count: MACS - 1, withinMs: WITHIN_MS });

      await beside.world.manage('PATCH', `/devices/${LATE}`, { knobs: { breaks: [] } });
      const [late] = await rolledOut(true)();
      await replay([late?.id ?? '']);
      await eventually(rolledOut(true), ([now]) => now?.failureCode === 'mdm.sso_host_claimed', {
        withinMs: WITHIN_MS,
        what: 'the late one has a certificate of Odette, and its host is claimed',
        everyMs: 500,
      });
      expect(await isReady(LATE)).toBe(true);
      await takeOver(LATE);
      await untilAllAre(beside.trusted, ['trusted'], { count: MACS, withinMs: WITHIN_MS });
    },
    WITHIN_MS * 3,
  );

  test('nobody was without a valid Okta certificate for a moment, and nothing of the other tool is left', async () => {
    const signedIn = new Map(
      (await summaries()).map(({ name, lastSignIn }) => [name, lastSignIn?.certificateSerial] as const),
    );
    for (const name of names) {
      expect(await momentsWithout(name), name).toEqual([]);
      const device = await onSandbox(name);
      expect(pretend.certificatesOf(device).map(({ serialNumber }) => serialNumber)).toEqual([
        signedIn.get(name),
      ]);
      const managed = device.profiles.filter(({ isManaged }) => isManaged);
      expect(managed).toHaveLength(3);
      for (const { identifier } of managed) expect(identifier).toMatch(/^odette\./);
      expect([...(await causesOf(name)).keys()].filter((cause) => /foreign|claimed/.test(cause))).toEqual([]);
    }
    // What is looked at shows such a moment where there is one: a device that leaves loses its certificate.
    await beside.world.manage('POST', `/devices/${LATE}/check-out`);
    expect(await momentsWithout(LATE)).not.toEqual([]);
  }, 120_000);
});
