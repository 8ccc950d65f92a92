// `odette status`: whether everything answers, how many devices hold each truth, what breaks, what real devices still need.
import type { Command } from 'commander';
import { jsonCommand, type CommandLine, type JsonOption } from './command-line.ts';
import { CliError, errorDocument, EXIT } from './exits.ts';
import type { ResponseOf } from './odette-client.ts';
import { table, type Line } from './table.ts';
import { moment } from './terminal.ts';

type Status = ResponseOf<'get /api/status'>;

const TRUTHS = [
  ['delivered', 'profiles delivered'],
  ['certificatePresent', 'certificate present'],
  ['oktaVerifyManaged', 'Okta Verify managed'],
  ['registered', 'registered in Okta'],
  ['managed', 'managed in Okta'],
] as const;

/** Longer is for a program's own patience. */
const PATIENCE_MS = 2_000;

export function addStatus(program: Command, line: CommandLine): void {
  jsonCommand(
    program,
    'status',
    'shows whether Odette is ready, its devices, and what real devices still need',
  ).action(async (options: JsonOption) => {
    const status = await ask(line, options);
    if (!status) return;
    line.show(options, status, () => statusLines(status));
    if (!status.ready) line.exitCode = EXIT.notReady;
  });
}

/** Without an answer a program still reads `ready: false`. */
async function ask(line: CommandLine, options: JsonOption): Promise<Status | undefined> {
  try {
    const odette = await line.connect({ patienceMs: PATIENCE_MS });
    return await odette.call('get /api/status');
  } catch (error) {
    if (!options.json || !(error instanceof CliError) || error.exitCode !== EXIT.notReady) throw error;
    line.show(options, { ready: false, error: errorDocument(error) }, () => []);
    line.exitCode = EXIT.notReady;
    return undefined;
  }
}

function statusLines(status: Status): Line[] {
  const { ready, parts, version, devices, buckets, addresses, asOf } = status;
  const silent = Object.entries(parts).filter(([, answers]) => !answers);
  const lines = [
    ready
      ? `Odette ${version} is ready.`
      : `Odette ${version} is not ready; not responding: ${silent.map(([name]) => name).join(', ')}.`,
    '',
    `Devices in scope: ${devices.total}${asOf === null ? '' : `; Okta data as of ${moment(asOf)}`}`,
    ...TRUTHS.map(
      ([truth, words]) =>
        `  ${String(devices[truth]).padStart(6)}  ${words}${truth === 'certificatePresent' ? ` (of ${devices.certificateApplies} Macs)` : ''}`,
    ),
    `  trusted ${buckets.trusted} · in progress ${buckets.in_progress} · needs its user ${buckets.needs_user} · needs you ${buckets.needs_you} · unreachable ${buckets.unreachable}`,
  ];
  return [
    ...lines,
    ...addressLines(addresses),
    ...checkLines(status),
    ...alarmLines(status),
    ...stepLines(status),
    ...needLines(status),
  ];
}

function addressLines(addresses: Status['addresses']): string[] {
  const {
    console: pages,
    api,
    publicUrl,
    enrollmentLink,
    temporalUi,
    temporal,
    temporalNamespace,
  } = addresses;
  const places: [string, string | null][] = [
    ['Console', pages],
    ['API', api],
    ['Devices', publicUrl],
    ['Enrollment link', enrollmentLink],
    ['Temporal UI', temporalUi],
    ['Temporal', `${temporal} (namespace ${temporalNamespace})`],
  ];
  return ['', ...places.map(([name, at]) => `${`${name}:`.padEnd(17)}${at ?? 'not set'}`)];
}

const checkLines = ({ checks }: Status): string[] =>
  checks.length === 0
    ? []
    : [
        '',
        ...checks.map(({ integration, at, failed }) =>
          at === null
            ? `Prerequisites of ${integration.name}: not checked yet.`
            : `Prerequisites of ${integration.name}: ${failed.length === 0 ? 'met' : `not met: ${failed.join('; ')}`} (checked ${moment(at)})`,
        ),
      ];

const alarmLines = ({ alarms }: Status): string[] =>
  alarms.length === 0
    ? []
    : [
        '',
        'Alarms:',
        ...alarms.flatMap(({ failure, text, since, rotation }) => [
          `  ! ${text}${since === null ? '' : ` (since ${moment(since)})`}`,
          `      ${failure.remedy} (${failure.code})`,
          ...(rotation === null
            ? []
            : [
                `      If it was replaced in Okta: odette rotate start ${rotation.secret} --integration ${rotation.host}`,
              ]),
        ]),
      ];

const OWNERS = { you: 'you', user: 'user', nobody: '–' } as const;

/** Alarms stand above. */
function stepLines({ steps }: Status): Line[] {
  const rows = steps
    .filter(({ id }) => !id.startsWith('alarm:'))
    .map(({ owner, devices, text, filter }) => [
      OWNERS[owner],
      devices === null ? '–' : String(devices),
      text,
      filter === null ? '' : (filter.failureCode ?? filter.obstacle ?? ''),
    ]);
  return rows.length === 0
    ? []
    : [
        '',
        ...table(['WHO', 'DEVICES', 'NEXT STEP', 'CAUSE'], rows),
        '',
        'Which devices: odette devices --cause CAUSE',
      ];
}

const needLines = ({ needs }: Status): string[] =>
  needs.length === 0
    ? []
    : [
        '',
        'What real devices still need:',
        ...needs.flatMap(({ text, command, isRequired }) => [
          `  - ${text}${isRequired ? '' : ' (recommended)'}`,
          `      ${command}`,
        ]),
      ];
