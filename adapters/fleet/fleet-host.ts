// A host of Fleet as a device that Odette may manage.
import type { HostAnswer } from './fleet-answers.ts';

type ApplePlatform = 'darwin' | 'ios' | 'ipados';

export interface FleetHost {
  /** The device's UDID: Fleet runs commands by it. */
  readonly udid: string;
  readonly serialNumber: string | undefined;
  readonly platform: ApplePlatform;
  /** ProductName, e.g. Mac14,2; '' where Fleet does not know it. */
  readonly model: string;
  readonly name: string | undefined;
  readonly osVersion: string | undefined;
  readonly teamId: number | null;
  readonly labels: readonly string[];
  /** Enrolled in Fleet's device management, by its organization: it takes every command. */
  readonly isManaged: boolean;
  /** When this enrollment began, as Fleet writes it; undefined: not said. Lists do not say it. */
  readonly enrolledMark: string | undefined;
  /** By Fleet's clock, milliseconds since the epoch; undefined: not said. */
  readonly checkedInAtMs: number | undefined;
}

const isApple = (platform: string): platform is ApplePlatform =>
  ['darwin', 'ios', 'ipados'].includes(platform);

/** "On (personal)" is Apple's User Enrollment: such a device has no UDID and takes neither Okta's certificate nor its app from here. */
const MANAGED = /^On \((manual|automatic|company-owned)\)$/i;
/** Go's zero time, and Fleet's "never". */
const NEVER = /^(0001|2000)-01-01T00:00:00/;

/** undefined: no Apple device. */
export function fleetHostOf(answer: HostAnswer): FleetHost | undefined {
  const { platform, mdm } = answer;
  if (!isApple(platform) || answer.uuid === '') return undefined;
  const isOn = MANAGED.test(mdm?.enrollment_status ?? '');
  return {
    udid: answer.uuid,
    serialNumber: answer.hardware_serial || undefined,
    platform,
    model: answer.hardware_model ?? '',
    name: answer.computer_name || undefined,
    osVersion: /\d+(\.\d+)*/.exec(answer.os_version ?? '')?.[0],
    teamId: answer.team_id ?? null,
    labels: (answer.labels ?? []).map(({ name }) => name),
    // Another server's devices are hosts, too, where Fleet's agent runs on them.
    isManaged: isOn && mdm?.name === 'Fleet' && mdm.connected_to_fleet !== false,
    enrolledMark: momentOf(answer.last_mdm_enrolled_at),
    checkedInAtMs: millisecondsOf(answer.last_mdm_checked_in_at),
  };
}

const momentOf = (text: string | null | undefined): string | undefined =>
  text == null || NEVER.test(text) ? undefined : text;

function millisecondsOf(text: string | null | undefined): number | undefined {
  const ms = Date.parse(momentOf(text) ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
