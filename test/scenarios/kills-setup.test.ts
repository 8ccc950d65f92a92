// Worker, API, relay, PostgreSQL and Temporal are killed at every step of the wizard, at rest and with an answer on its way: the
// setup goes on at the same step, and nothing is asked twice of the admin.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SETUP_STEPS, type SetupStep } from '../../domain/setup-wizard.ts';
import { SandboxApi } from '../../sandbox/demo/sandbox-api.ts';
import { giveAppleCertificates } from '../../sandbox/demo/set-up.ts';
import { stageOf } from '../harness/stage.ts';
import {
  eventually,
  PARTS,
  startWorld,
  type ApiResponse,
  type PartName,
  type World,
} from '../harness/world.ts';

interface Setup {
  readonly id: string;
  readonly status: 'open' | 'complete';
  readonly step: SetupStep;
  readonly steps: readonly { readonly step: SetupStep; readonly answered: boolean }[];
  readonly answers: Readonly<Record<string, unknown>>;
  readonly integrationId?: string;
}
type Given = Readonly<Record<string, unknown>>;

const BEFORE_COMPLETE = SETUP_STEPS.filter((step) => step !== 'complete');
const ANSWER_WITHIN_MS = 120_000;

let world: World;
/** One open setup at each step. */
let wizards: string[] = [];
let integrationId: string | undefined;
let answersOfOne: Record<SetupStep, Given>;
let answersOfTwo: Record<SetupStep, Given>;

beforeAll(async () => {
  world = await startWorld();
  await giveAppleCertificates(await stageOf(world));
  const sandbox = new SandboxApi(world.sandbox.management);
  answersOfOne = await answersOf(sandbox, 'one');
  answersOfTwo = await answersOf(sandbox, 'two');
  wizards = await Promise.all(BEFORE_COMPLETE.map((step) => wizardAt(step, answersOfOne)));
}, 180_000);
afterAll(() => world?.stop(), 60_000);

/** What an admin would type; what only Okta knows is fetched from its console once. */
async function answersOf(sandbox: SandboxApi, tenant: string): Promise<Record<SetupStep, Given>> {
  const mac = await sandbox.addMacPlatform(tenant);
  const { scepUrl, challengeUrl, username, password } = mac;
  return {
    get_started: {},
    okta_domain: { domain: await sandbox.tenantHost(tenant) },
    credentials_kind: { credentialsKind: 'api_service_integration' },
    credentials: { ...(await sandbox.installIntegration(tenant)) },
    connect: { confirmed: ['adaptive_mfa'] },
    okta_tasks: {},
    platforms: { platforms: ['macOS', 'iOS'] },
    macos: { scepUrl, challengeUrl, username, password },
    ios: {
      secretKey: (await sandbox.addIosPlatform(tenant, 'Odette', 'https://localhost/enroll')).secretKey,
      providerName: 'Odette',
    },
    complete: {},
  };
}

async function newSetup(body: object = {}): Promise<Setup> {
  const made = await world.api<Setup>('POST', '/api/setups', body);
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body;
}

/** @returns the id of a setup that waits for the answer to this step */
async function wizardAt(step: SetupStep, answers: Record<SetupStep, Given>): Promise<string> {
  const { id } = await newSetup();
  for (const earlier of SETUP_STEPS.slice(0, SETUP_STEPS.indexOf(step)))
    await giveUntilTaken(id, earlier, answers[earlier], randomUUID());
  return id;
}

const send = (id: string, step: SetupStep, given: Given, key: string): Promise<ApiResponse<Setup>> =>
  world.api<Setup>('POST', `/api/setups/${id}/answers`, { step, ...given }, { 'idempotency-key': key });

/** Sends one answer under one key until Odette has taken it, as a console does: never a new answer. */
async function giveUntilTaken(id: string, step: SetupStep, given: Given, key: string): Promise<Setup> {
  const ended = await eventually(
    async () => {
      const sent = await send(id, step, given, key);
      return sent.status === 202 ? world.api<Setup>('GET', sent.headers.get('location') ?? '') : sent;
    },
    ({ status }) => status !== 202 && status < 500,
    { withinMs: ANSWER_WITHIN_MS, what: `the answer to ${step}` },
  );
  expect(ended.status, `${step}: ${JSON.stringify(ended.body)}`).toBe(200);
  return ended.body;
}

const look = (id: string): Promise<Setup> =>
  eventually(
    () => world.api<Setup>('GET', `/api/setups/${id}`),
    ({ status }) => status === 200,
    { withinMs: ANSWER_WITHIN_MS, what: `setup ${id}` },
  ).then(({ body }) => ({ ...body, answers: withoutUse(body.answers) }));

/** When a secret was used last is no answer: a check that a kill cut short uses it again. */
const withoutUse = (answers: Setup['answers']): Setup['answers'] =>
  Object.fromEntries(
    Object.entries(answers).map(([name, value]) => {
      if (typeof value !== 'object' || value === null || !('lastUsedAt' in value)) return [name, value];
      const { lastUsedAt: _, ...kept } = value;
      return [name, kept];
    }),
  );

const lookAtAll = (ids: readonly string[]): Promise<Setup[]> => Promise.all(ids.map(look));

/** The last step's setup: of a new integration first, then of changes to it, for a tenant is connected once. */
async function completingWizard(): Promise<string> {
  if (integrationId === undefined) return wizardAt('complete', answersOfTwo);
  const { id } = await newSetup({ integrationId });
  await giveUntilTaken(id, 'go_to' as SetupStep, { target: 'complete' }, randomUUID());
  return id;
}

async function killAndStart(part: PartName): Promise<void> {
  await world.kill(part);
  await world.start(part);
}

// A setup sends no message to a device.
test.each(PARTS.filter((part) => part !== 'devices'))(
  '%s is killed at every step of the wizard: each setup goes on where it was, and nothing is asked twice',
  async (part) => {
    const ids = [...wizards, await completingWizard()];
    const before = await lookAtAll(ids);
    expect(before.map(({ step }) => step)).toEqual([...SETUP_STEPS]);

    await killAndStart(part);
    expect(await lookAtAll(ids)).toEqual(before);

    const keys = ids.map(() => randomUUID());
    const answer = (index: number): [string, SetupStep, Given, string] => {
      const step = SETUP_STEPS[index] ?? 'complete';
      return [ids[index] ?? '', step, answersOfOne[step], keys[index] ?? ''];
    };
    const onTheirWay = Promise.all(ids.map((_, index) => send(...answer(index)).catch(() => undefined)));
    await pause(150);
    await killAndStart(part);
    await onTheirWay;
    const after = await Promise.all(ids.map((_, index) => giveUntilTaken(...answer(index))));
    const finished = after.at(-1);
    expect(finished?.status).toBe('complete');
    integrationId = finished?.integrationId;

    const shown = await lookAtAll(ids);
    for (const [index, setup] of shown.slice(0, -1).entries()) {
      const was = before[index];
      expect(setup.step, `after the answer to ${was?.step}`).toBe(SETUP_STEPS[index + 1]);
      expect(setup.answers).toMatchObject(was?.answers ?? {});
      const unanswered = setup.steps.find(({ answered }) => !answered);
      expect(unanswered?.step).toBe(setup.step);
    }
    // Each has gone on by one step; a new one begins.
    wizards = [(await newSetup()).id, ...wizards.slice(0, -1)];
  },
  400_000,
);

test('the connected tenant is one integration with all that was answered', async () => {
  const { body } = await world.api<{ items: { macOS: object | null; iOS: object | null }[] }>(
    'GET',
    '/api/integrations',
  );
  expect(body.items).toHaveLength(1);
  expect(body.items[0]?.macOS).toMatchObject({ username: answersOfTwo.macos['username'] });
  expect(body.items[0]?.iOS).toMatchObject({ providerName: 'Odette' });
});
