// Everything that the workflows of one test file need: a database, a Temporal namespace of its own, worker, relay, and devices
// without a network. Product code is real; Okta, Apple and the devices are this process's own objects.
import { randomBytes, randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { expect, vi } from 'vitest';
import { createActivities, type ActivityDependencies } from '../../activities/index.ts';
import { configurationComparer } from '../../activities/compare-configuration.ts';
import type { OktaDevice } from '../../adapters/okta/okta-device.ts';
import {
  CertificateAuthority,
  newRsaKeyPair,
  type KeyAndCertificate,
} from '../../adapters/pki/certificate-authority.ts';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import type { Database } from '../../adapters/store/database.ts';
import { putOutbox } from '../../adapters/store/outbox.ts';
import { storeSecret } from '../../adapters/store/secrets.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import type { DeviceFamily } from '../../domain/device.ts';
import { CataloguedError, type FailureCode } from '../../domain/failures.ts';
import type { IntegrationSettings } from '../../domain/integration-settings.ts';
import { startRelay } from '../../workers/relay-loop.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { TASK_QUEUE, workflowIds } from '../../workflows/messages.ts';
import { FakeDevice } from './fake-device.ts';
import { createTestDatabase } from './postgres.ts';
import { openTlsService } from './pretend-okta.ts';
import { temporalAddress } from './temporal.ts';

/** temporal.api.enums.v1.IndexedValueType */
const KEYWORD = 2;
const DATETIME = 6;

export interface TruthRow {
  readonly truth: string;
  readonly state: string;
  readonly evidence: string;
}
export interface TrustRow {
  readonly bucket: string;
  readonly phase: string;
  readonly waits_for: string | null;
  readonly failure_code: string | null;
  readonly delivered: boolean;
}

export type RolloutWorld = Awaited<ReturnType<typeof openRolloutWorld>>;

let signer: Promise<KeyAndCertificate> | undefined;
async function newSigner(): Promise<KeyAndCertificate> {
  const dates = { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 86_400_000) };
  const authority = await CertificateAuthority.create({ commonName: 'Test profiles', ...dates });
  const { publicKey, privateKey } = await newRsaKeyPair();
  const certificate = authority.issue({ subject: [['CN', 'signer']], publicKey, use: 'signing', ...dates });
  return { certificate, privateKey };
}

export async function openRolloutWorld(settings: Partial<IntegrationSettings> = {}) {
  const { database, drop } = await createTestDatabase();
  const sealer = new KeyRing('test', new Map([['test', randomBytes(32)]]));
  const address = await temporalAddress();
  const connection = await Connection.connect({ address });
  const namespace = await newNamespace(connection);
  const client = new Client({ connection, namespace });
  const challenges = await openChallenges();
  const devices = new Map<string, FakeDevice>();
  const knobs = {
    licences: 'assigned' as 'assigned' | 'pending' | 'none_left' | 'refused',
    oktaDevices: [] as OktaDevice[],
    pushFailure: undefined as FailureCode | undefined,
  };
  signer ??= newSigner();
  const compare = configurationComparer(database, sealer);

  const deps: ActivityDependencies = {
    database,
    sealer,
    temporal: client,
    oktaClient: () => Promise.resolve(oktaOf(knobs) as never),
    apns: () =>
      Promise.resolve({
        push: ({ token }: { readonly token: Uint8Array }) => {
          if (knobs.pushFailure) return Promise.reject(new CataloguedError(knobs.pushFailure));
          devices.get(Buffer.from(token).toString('utf8'))?.push();
          return Promise.resolve();
        },
      }),
    appsAndBooks: () => Promise.resolve(licencesOf(knobs)),
    profileSigner: () => signer ?? newSigner(),
    allowedPrivateHosts: [challenges.host],
  };
  const activities = createActivities(deps);
  const fleet = await newFleet(database, sealer, challenges.host, settings);
  const codePath = await workflowBundle(path.join(tmpdir(), 'odette-test-bundles'));
  const native = await NativeConnection.connect({ address });
  const relay = startRelay({ database, temporal: () => Promise.resolve(client), log: quiet });
  let worker = await startWorker();

  async function startWorker() {
    const created = await Worker.create({
      connection: native,
      namespace,
      taskQueue: TASK_QUEUE,
      workflowBundle: { codePath },
      activities,
      shutdownForceTime: '1 second',
    });
    const ended = created.run();
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
    async newDevice(family: DeviceFamily, options: { userName?: string } = {}): Promise<FakeDevice> {
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
        redeem: challenges.redeem,
        compare: (deviceId, configuration) =>
          compare(deviceId, [{ identifier: OKTA_VERIFY.bundleId, configuration }]),
      });
      devices.set(id, device);
      return device;
    },
    rollOut: (deviceId: string, reason = 'test') =>
      putOutbox(database, deviceId, { kind: 'rollOutDevice', deviceId, reason }),
    rollout: (deviceId: string) => client.workflow.getHandle(workflowIds.rollout(deviceId)),
    keeper: (deviceId: string) => client.workflow.getHandle(workflowIds.certificate(deviceId)),
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
    async ended(deviceId: string, timeout = 25_000): Promise<string> {
      return vi.waitFor(
        async () => {
          const { status } = await client.workflow.getHandle(workflowIds.rollout(deviceId)).describe();
          expect(status.name).not.toBe('RUNNING');
          return status.name;
        },
        { timeout, interval: 50 },
      );
    },
    until: <T>(check: () => Promise<T> | T, timeout = 20_000): Promise<T> =>
      vi.waitFor(check, { timeout, interval: 50 }),
    async restartWorker(): Promise<void> {
      await worker.stop();
      worker = await startWorker();
    },
    async close(): Promise<void> {
      await worker.stop();
      await relay.stop();
      await Promise.all([...devices.values()].map((device) => device.switchOff()));
      await native.close();
      await connection.close();
      await challenges.close();
      await drop();
    },
  };
  return world;
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

async function openChallenges() {
  const service = await openTlsService();
  const valid = new Set<string>();
  const state = { fetched: 0, status: 200 };
  service.serve((_, response) => {
    if (state.status !== 200) return void response.writeHead(state.status).end();
    state.fetched += 1;
    const challenge = randomBytes(24).toString('base64url');
    valid.add(challenge);
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<HTML><Body><P>The enrollment challenge password is: <B> ${challenge} </B></P></Body></HTML>`);
  });
  return {
    host: service.host,
    state,
    redeem: (challenge: string) => valid.delete(challenge),
    close: () => service.close(),
  };
}

async function newFleet(
  database: Database,
  sealer: KeyRing,
  host: string,
  settings: Partial<IntegrationSettings>,
) {
  const secret = (kind: 'okta_client_secret' | 'challenge_password' | 'ios_secret_key') =>
    storeSecret(database, sealer, { kind, value: `${kind}-${randomBytes(8).toString('hex')}`, by: 'test' });
  const credentials = await secret('okta_client_secret');
  const [integration] = await database.query<{ id: string }>(
    `insert into integrations (name, okta_org_id, okta_host, credentials_kind, client_id, credentials_secret_id, granted_scopes, settings)
     values ('acme', gen_random_uuid()::text, 'acme.okta.com', 'api_service_integration', 'c', $1, '{}', $2) returning id`,
    [credentials.id, settings],
  );
  const integrationId = integration?.id ?? '';
  const mac = await secret('challenge_password');
  const phone = await secret('ios_secret_key');
  await database.query(
    `insert into integration_platforms (integration_id, platform, scep_url, challenge_url, challenge_username, secret_id)
     values ($1, 'macOS', $2, $3, 'user', $4), ($1, 'iOS', null, null, null, $5)`,
    [integrationId, `https://${host}/scep`, `https://${host}/challenge`, mac.id, phone.id],
  );
  const [blueprint] = await database.query<{ id: string }>(
    `insert into blueprints (name) values ('Test') returning id`,
  );
  const [item] = await database.query<{ id: string }>(
    `insert into library_items (integration_id, device_trust_on) values ($1, true) returning id`,
    [integrationId],
  );
  await database.query(
    'insert into library_item_blueprints (blueprint_id, library_item_id) values ($1, $2)',
    [blueprint?.id, item?.id],
  );
  return {
    integrationId,
    blueprintId: blueprint?.id ?? '',
    itemId: item?.id ?? '',
    phoneSecretId: phone.id,
    switchTrust: (on: boolean) =>
      database.query('update library_items set device_trust_on = $2 where id = $1', [item?.id, on]),
    rotatePhoneKey: () =>
      storeSecret(database, sealer, { kind: 'ios_secret_key', value: 'rotated', by: 'test', id: phone.id }),
  };
}

function licencesOf(knobs: { readonly licences: 'assigned' | 'pending' | 'none_left' | 'refused' }) {
  return {
    asset: () =>
      Promise.resolve([
        {
          adamId: OKTA_VERIFY.adamId,
          pricingParam: 'STDQ',
          available: knobs.licences === 'none_left' ? 0 : 10,
          total: 10,
          isDeviceAssignable: true,
          platforms: [],
        },
      ]),
    isAssigned: () =>
      knobs.licences === 'refused'
        ? Promise.reject(new CataloguedError('apps_and_books.token_refused'))
        : Promise.resolve(false),
    associate: () => Promise.resolve({ eventId: randomUUID() }),
    status: () =>
      Promise.resolve(
        knobs.licences === 'assigned' ? ({ state: 'complete' } as const) : ({ state: 'pending' } as const),
      ),
  };
}

function oktaOf(knobs: { readonly oktaDevices: readonly OktaDevice[] }) {
  return {
    listDevices: () => Promise.resolve({ devices: knobs.oktaDevices }),
    findMacs: (serialNumber: string) =>
      Promise.resolve(knobs.oktaDevices.filter((device) => device.serialNumber === serialNumber)),
    findDevices: ({ platform }: { readonly platform?: string }) =>
      Promise.resolve(knobs.oktaDevices.filter((device) => device.platform === platform)),
  };
}
