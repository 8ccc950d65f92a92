// What rollouts cost now and at an earlier commit, in turns on this machine: `npm run bench:before-after`. Each commit runs its own benchmark, with its
// own sandbox, database and dependencies. The earlier one is checked out and installed in a temporary folder, which takes a minute.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { quantile } from './measured.ts';

const run = promisify(execFile);

/** The last one before rollouts were made leaner; its programs and bench have the same shape. */
const BEFORE = process.env['BENCH_BEFORE'] ?? 'fcc4831';
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 2);
const ROOT = path.resolve(import.meta.dirname, '../..');
const OF_ODETTE = ['console', 'api', 'devices', 'relay', 'worker'];

type Figures = Readonly<Record<string, number>>;

const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-before-'));
const before = path.join(folder, 'odette');
try {
  await run('git', ['worktree', 'add', '--detach', before, BEFORE], { cwd: ROOT });
  await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: before });
  await run('node', ['scripts/setup.mjs'], { cwd: before });
  const found: Record<'before' | 'now', Figures[]> = { before: [], now: [] };
  for (let round = 1; round <= ROUNDS; round += 1)
    for (const [name, place] of [
      ['before', before],
      ['now', ROOT],
    ] as const) {
      const load = os.loadavg()[0]?.toFixed(1);
      const { stdout } = await run('npx', ['tsx', 'test/benchmarks/rollouts.ts'], {
        cwd: place,
        env: { ...process.env, BENCH_SINGLE: '3' },
        maxBuffer: 10_000_000,
      });
      const figures = read(stdout);
      console.log(`round ${round}, ${name} (load average ${load}): ${JSON.stringify(figures)}`);
      found[name].push(figures);
    }
  console.log(
    `\nMedians of ${ROUNDS} rounds in turns; CPU in milliseconds for each rollout; rollouts a second until all are trusted`,
  );
  console.table(
    Object.fromEntries(
      Object.keys(found.now[0] ?? {}).map((name) => {
        const [old, today] = [median(found.before, name), median(found.now, name)];
        return [
          name,
          {
            [BEFORE]: old ?? '–',
            now: today,
            'now/before': old === undefined ? '–' : ((today ?? 0) / old).toFixed(2),
          },
        ];
      }),
    ),
  );
} finally {
  await run('git', ['worktree', 'remove', '--force', before], { cwd: ROOT }).catch(() => undefined);
  await rm(folder, { recursive: true, force: true });
}

function median(rounds: readonly Figures[], name: string): number | undefined {
  const values = rounds.flatMap((figures) => figures[name] ?? []);
  return values.length === 0 ? undefined : Number(quantile(values, 0.5).toFixed(2));
}

/** What both print: a table of processes, a last line of JSON, and words. */
function read(output: string): Figures {
  const cpuOf = (name: string): number =>
    Number(new RegExp(`│ ${name}[^│]*│ (\\d+) `).exec(output)?.[1] ?? 0);
  const last = JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as Record<string, number>;
  const inTable = /│ for each rollout │([^\n]+)│/
    .exec(output)?.[1]
    ?.match(/[\d.]+/g)
    ?.map(Number);
  const [statements, transitions, events, , pushes] = inTable ?? [];
  const inWords = (what: string): number | undefined => {
    const found = new RegExp(`for each rollout: ([\\d.]+) ${what}`).exec(output)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const figures = {
    'rollouts a second': Number(last['devices']) / Number(last['seconds']),
    statements,
    'state transitions': transitions ?? inWords('Temporal state transitions'),
    'history events': events,
    pushes: pushes ?? inWords('pushes'),
    'one awake Mac, ms': Number(last['medianDeliveredMs']),
    'CPU of console, devices, relay, worker': OF_ODETTE.reduce((sum, name) => sum + cpuOf(name), 0),
    'CPU of PostgreSQL': cpuOf('postgres'),
    'CPU of Temporal': cpuOf('temporal'),
    'CPU of the sandbox': cpuOf('sandbox'),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined)) as Figures;
}
