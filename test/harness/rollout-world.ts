// Everything that the workflows of one test file need: a database, a Temporal namespace of its own, worker, relay, and devices
// without a network. Product code is real; Okta, Apple and the devices are this process's own objects.
// Long, because each part of a world stands where it is begun and ended.
import { randomBytes, randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { expect, vi } from 'vitest';
import { createActivities, type ActivityDependencies } from '../../activities/index.ts';
import { configurationComparer } from '../../activities/compare-configuration.ts';
import type { OktaDevice } from '../../adapters/okta/okta-device.ts';
import type { KeyAndCertificate } from '../../adapters/pki/certificate-authority.ts';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import { LongPolls } from '../../api/mdm/long-poll.ts';
import { appendOutboxMessage } from '../../adapters/store/base/outbox.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import type { DeviceFamily } from '../../domain/device.ts';
import { CataloguedError, type FailureCode } from '../../domain/failures.ts';
import type { IntegrationSettings } from '../../domain/integration-settings.ts';
import { startRelay } from '../../workers/relay-loop.ts';
import { sealedClientOptions } from '../../workers/sealed-client.ts';
import { sealedWorkerOptions, type Refusal } from '../../workers/sealed-worker.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import {
  deploymentOptions,
  makeCurrent,
  takesOver,
  type WorkerVersions,
} from '../../workers/workflow-versions.ts';
import { TASK_QUEUE, workflowIds } from '../../workflows/messages.ts';
import { RECORDED, recordedKeys } from '../histories/test-codec.ts';
import { connectIntegration } from './connected-integration.ts';
import { FakeDevice } from './fake-device.ts';
import { licensesOf, oktaOf, openChallenges } from './outside-services.ts';
import { newSigner } from './new-signer.ts';
import { createTestDatabase } from './postgres.ts';
import { temporalAddress } from './temporal.ts';

/** temporal.api.enums.v1.IndexedValueType */
const KEYWORD = 2;
const DATETIME = 6;
/** A device stays awake for so long behind its last command. */
const LONG_POLL_MS = 1_000;
/** Of a patient device: longer than any step of a rollout takes on a busy machine, so that it is pushed once. */
const PATIENT_LONG_POLL_MS = 60_000;

export interface TruthRow {
  readonly truth: string;
  readonly state: string;
  readonly evidence: string;
}
export interface TrustRow {
  readonly bucket: string;
  readonly phase: string;
  readonly waitsFor: string | null;
  readonly failureCode: string | null;
  readonly delivered: boolean;
}

export type RolloutWorld = Awaited<ReturnType<typeof openRolloutWorld>>;

let signer: Promise<KeyAndCertificate> | undefined;
/** @param processes as many sets of activities take turns: as worker processes do, they share nothing but the database */
export async function openRolloutWorld(settings: Partial<IntegrationSettings> = {}, processes = 1) {
  const { database, drop } = await createTestDatabase();
  const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
  const address = await temporalAddress();
  const connection = await Connection.connect({ address });
  const namespace = await newNamespace(connection);
  const client = new Client({ connection, namespace, ...sealedClientOptions(recordedKeys, RECORDED) });
  const refusals: Refusal[] = [];
  const challenges = await openChallenges();
  const devices = new Map<string, FakeDevice>();
  const longPolls = LongPolls.start(database, { milliseconds: LONG_POLL_MS, max: 1_000 });
  let patientLongPolls: LongPolls | undefined;
  const patient = () =>
    (patientLongPolls ??= LongPolls.start(database, { milliseconds: PATIENT_LONG_POLL_MS, max: 1_000 }));
  const knobs = {
    licenses: 'assigned' as 'assigned' | 'pending' | 'none_left' | 'refused' | 'unreachable',
    /** Serial numbers. */
    held: new Set<string>(),
    /** Why a device of this serial number gets no license. */
    refusedTo: new Map<string, FailureCode>(),
    oktaDevices: [] as OktaDevice[],
    /** So many look-ups of a device are refused. */
    oktaRefusals: 0,
    pushFailure: undefined as FailureCode | undefined,
    /** Until then Apple answers no push. */
    pushAnswers: undefined as Promise<void> | undefined,
    pushesBegun: 0,
  };
  /** One for all: it remembers which of its events failed. */
  const licenses = licensesOf(knobs);
  signer ??= newSigner();
  const compare = configurationComparer(database, sealer);

  const deps: ActivityDependencies = {
    database,
    sealer,
    temporal: client,
    oktaClient: () => Promise.resolve(oktaOf(knobs) as never),
    apns: () =>
      Promise.resolve({
        push: async ({ token }: { readonly token: Uint8Array }) => {
          knobs.pushesBegun += 1;
          await knobs.pushAnswers;
          if (knobs.pushFailure) throw new CataloguedError(knobs.pushFailure);
          devices.get(Buffer.from(token).toString('utf8'))?.push();
        },
      }),
    appsAndBooks: () => Promise.resolve(licenses),
    nanoMdm: () => Promise.reject(new CataloguedError('request.not_found')),
    fleet: () => Promise.reject(new CataloguedError('request.not_found')),
    profileSigner: () => signer ?? newSigner(),
    publicUrl: undefined,
    allowedPrivateHosts: [challenges.host],
  };
  const activities = takingTurns(Array.from({ length: processes }, () => createActivities(deps)));
  const fleet = await connectIntegration(database, sealer, challenges.host, settings);
  const codePath = await workflowBundle();
  const native = await NativeConnection.connect({ address });
  const relay = startRelay({ database, temporal: () => Promise.resolve(client), log: quiet });
  let worker = await startWorker();

  /** As a worker process starts: its version becomes the current one, or does not (workers/workflow-versions.ts). */
  async function startWorker(bundle = codePath, buildId = 'this', versions: WorkerVersions = 'one') {
    const isCurrent = await takesOver(client, buildId, versions);
    const created = await Worker.create({
      connection: native,
      namespace,
      taskQueue: TASK_QUEUE,
      workflowBundle: { codePath: bundle },
      workerDeploymentOptions: deploymentOptions(buildId, versions),
      activities,
      ...sealedWorkerOptions(recordedKeys, RECORDED, (refusal) => refusals.push(refusal)),
      shutdownForceTime: '1 second',
    });
    const ended = created.run();
    if (isCurrent) await makeCurrent(client, buildId, versions);
    return {
      async stop() {
        if (created.getState() === 'RUNNING') created.shutdown();
        await ended.catch(() => undefined);
      },
    };
  }

  const world = {
    database,
    client,
    connection,
    namespace,
    knobs,
    challenges,
    fleet,
    codePath,
    deps,
    /** What reached a workflow or an activity and was not sealed for it. */
    refusals,
    async newDevice(
      family: DeviceFamily,
      options: { readonly userName?: string; readonly isPatient?: boolean } = {},
    ): Promise<FakeDevice> {
      const id = randomUUID();
      await database.query(
        `insert into devices (id, family, platform, udid, serial_number, name, model, blueprint_id, enrollment_status, enrollment_id, topic,
           push_token, push_magic, identity_fingerprint, enrolled_at, user_name)
         values ($1, $2, $3, $4, $5, $2, $6, $7, 'enrolled', gen_random_uuid(), 'topic', $8, 'magic', $9, now(), $10)`,
        [
          id,
          family,
          family === 'Mac' ? 'macOS' : 'iOS',
          randomUUID().toUpperCase(),
          `C0${randomBytes(4).toString('hex').toUpperCase()}`,
          family === 'Mac' ? 'Mac14,2' : 'iPhone15,2',
          fleet.blueprintId,
          Buffer.from(id),
          randomBytes(32),
          options.userName ?? null,
        ],
      );
      const device = new FakeDevice(id, {
        database,
        sealer,
        longPolls: options.isPatient === true ? patient() : longPolls,
        redeem: challenges.redeem,
        compare: (deviceId, configuration) =>
          compare(deviceId, [{ identifier: OKTA_VERIFY.bundleId, configuration }]),
      });
      devices.set(id, device);
      return device;
    },
    rollOut: (deviceId: string, reason = 'test', asksUserAgain = false) =>
      appendOutboxMessage(database, deviceId, { kind: 'rollOutDevice', deviceId, reason, asksUserAgain }),
    rollout: (deviceId: string) => client.workflow.getHandle(workflowIds.rollout(deviceId)),
    certificateWorkflow: (deviceId: string) => client.workflow.getHandle(workflowIds.certificate(deviceId)),
    async trust(deviceId: string): Promise<TrustRow | undefined> {
      const [row] = await database.query<TrustRow>('select * from device_trust where device_id = $1', [
        deviceId,
      ]);
      return row;
    },
    async truths(deviceId: string): Promise<Record<string, string>> {
      const rows = await database.query<TruthRow>('select * from device_truths where device_id = $1', [
        deviceId,
      ]);
      return Object.fromEntries(rows.map(({ truth, state }) => [truth, state]));
    },
    /** Waits until the rollout's newest run has ended, and says how. */
    async ended(deviceId: string, timeout = 100_000): Promise<string> {
      return vi.waitFor(
        async () => {
          const { status } = await client.workflow.getHandle(workflowIds.rollout(deviceId)).describe();
          expect(status.name).not.toBe('RUNNING');
          return status.name;
        },
        { timeout, interval: 50 },
      );
    },
    /**
     * Waits until a sweep sees that the newest run of each is closed. It goes by Temporal's lists, which lag behind (that none is shown as
     * running is not enough: one that has just begun may not stand in them yet), and leaves alone what has a message to be told.
     */
    async leftLists(...ids: string[]): Promise<void> {
      await world.told(...ids.map((id) => id.slice(id.indexOf('/') + 1)));
      const runs = await Promise.all(ids.map((id) => client.workflow.getHandle(id).describe()));
      const query = `ExecutionStatus != 'Running' AND RunId IN (${runs.map(({ runId }) => `'${runId}'`).join(', ')})`;
      await world.until(async () => expect((await client.workflow.count(query)).count).toBe(ids.length));
    },
    /** Waits until no message of these devices or changes is open: a row is closed a moment after Temporal has its message. */
    told: (...keys: string[]): Promise<void> =>
      world.until(async () => {
        const open = 'select from outbox where ordering_key = any($1) and delivered_at is null';
        expect(await database.query(open, [keys])).toEqual([]);
      }),
    /** What the Temporal UI's Reset and `temporal workflow reset --event-id` do to the device's rollout. Returns the new run's id. */
    async reset(deviceId: string, eventId: unknown): Promise<string> {
      const workflowId = workflowIds.rollout(deviceId);
      const { runId } = await client.workflow.getHandle(workflowId).describe();
      const reset = await connection.workflowService.resetWorkflowExecution({
        namespace,
        workflowExecution: { workflowId, runId },
        reason: 'test',
        requestId: randomUUID(),
        workflowTaskFinishEventId: eventId as never,
      });
      return reset.runId;
    },
    /** Which event the details of a rollout that has failed say to reset to. */
    async eventShown(deviceId: string): Promise<number> {
      const { currentDetails = '' } = await client.workflow
        .getHandle(workflowIds.rollout(deviceId))
        .query<{ currentDetails?: string }>('__temporal_workflow_metadata');
      expect(currentDetails).toContain(`Mac: [open the device in Odette](/odette/devices/${deviceId})`);
      return Number(/Once the cause is fixed, reset here: event (\d+)\./.exec(currentDetails)?.[1]);
    },
    until: <T>(check: () => Promise<T> | T, timeout = 45_000): Promise<T> =>
      vi.waitFor(check, { timeout, interval: 50 }),
    stopWorker: (): Promise<void> => worker.stop(),
    /** Beside the others. */
    startVersion: (buildId: string, versions: WorkerVersions, bundle?: string) =>
      startWorker(bundle, buildId, versions),
    /** @param bundle of another version; absent: of this one */
    async restartWorker(bundle?: string): Promise<void> {
      await worker.stop();
      worker = await startWorker(bundle, bundle && 'another');
    },
    async close(): Promise<void> {
      await worker.stop();
      await relay.stop();
      await Promise.all([...devices.values()].map((device) => device.switchOff()));
      await Promise.all([longPolls.stop(), patientLongPolls?.stop()]);
      await native.close();
      await connection.close();
      await challenges.close();
      await drop();
    },
  };
  return world;
}

/** Each call goes to the next one. */
function takingTurns<Group extends object>(groups: readonly Group[]): Group {
  let calls = 0;
  const names = Object.keys(groups[0] ?? {}) as (keyof Group)[];
  const next = (name: keyof Group) => {
    calls += 1;
    return groups[calls % groups.length]?.[name] as (input: unknown) => unknown;
  };
  return Object.fromEntries(names.map((name) => [name, (input: unknown) => next(name)(input)])) as Group;
}

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

let isInstalled = false;
export function quietRuntime(): void {
  if (isInstalled) return;
  isInstalled = true;
  Runtime.install({ logger: new DefaultLogger('ERROR') });
}

async function newNamespace(connection: Connection): Promise<string> {
  const namespace = `rollout-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await vi.waitFor(
    () =>
      connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: {
          IntegrationId: KEYWORD,
          DeviceId: KEYWORD,
          RolloutPhase: KEYWORD,
          FailureKind: KEYWORD,
          CertificateNotAfter: DATETIME,
        },
      }),
    { timeout: 30_000, interval: 200 },
  );
  const client = new Client({ connection, namespace });
  await vi.waitFor(
    () =>
      expect(client.workflow.getHandle('none').describe()).rejects.toMatchObject({
        name: 'WorkflowNotFoundError',
      }),
    { timeout: 30_000, interval: 200 },
  );
  return namespace;
}
