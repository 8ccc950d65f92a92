// The device listener on a free port over a database of its own, with what an installation has: a push certificate, a blueprint.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pino, type Logger } from 'pino';
import { Registry } from 'prom-client';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import { sealedCommandContext } from '../../adapters/store/devices/commands.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import { enrollmentCodeHash, newEnrollmentCode } from '../../adapters/store/devices/enrollments.ts';
import { storeSecret } from '../../adapters/store/base/secrets.ts';
import { createDeviceApp, type DeviceAppDependencies } from '../../api/mdm/device-app.ts';
import { identityAuthority } from '../../api/mdm/identity-authority.ts';
import { LongPolls } from '../../api/mdm/long-poll.ts';
import { channelClients, type ChannelClients } from '../../workers/channel-clients.ts';
import { createTestDatabase } from './postgres.ts';
import { queueCommand } from './queue-command.ts';

export const TOPIC = 'com.apple.mgmt.External.00000000-0000-4000-8000-000000000000';

export interface DeviceListener {
  readonly url: string;
  readonly database: Database;
  readonly metrics: Registry;
  readonly ring: KeyRing;
  readonly longPolls: LongPolls;
  readonly authority: ReturnType<typeof identityAuthority>;
  readonly channels: ChannelClients;
  readonly databaseUrl: string;
  readonly keyFile: string;
  /** A blueprint whose library item is switched on. */
  readonly blueprintId: string;
  newCode(options?: {
    forUdid?: string;
    maxUses?: number;
    userName?: string;
    expiresInSeconds?: number;
  }): Promise<string>;
  stop(): Promise<void>;
}

export async function startDeviceListener(
  options: Partial<
    Pick<
      DeviceAppDependencies,
      'compareConfiguration' | 'trustedProxy' | 'trustsClientCert' | 'database' | 'tls'
    >
  > & {
    longPoll?: { milliseconds: number; max: number };
    /** Other MDM servers that may be called. */
    allowedPrivateHosts?: readonly string[];
    log?: Logger;
  } = {},
): Promise<DeviceListener> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'odette-devices-'));
  const keyFile = path.join(folder, 'odette.key');
  const ring = await KeyRing.open(keyFile, { create: true });
  const own = await createTestDatabase();
  const { database } = own;
  const longPolls = LongPolls.start(database, options.longPoll ?? { milliseconds: 0, max: 10 });
  const authority = identityAuthority(database, ring);
  const metrics = new Registry();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const channels = channelClients(database, ring, {
    allowedPrivateHosts: options.allowedPrivateHosts ?? [],
  });
  const app = createDeviceApp({
    database: options.database ?? database,
    sealer: ring,
    log: options.log ?? pino({ level: 'silent' }),
    metrics,
    authority,
    longPolls,
    compareConfiguration: options.compareConfiguration ?? (() => Promise.resolve(undefined)),
    channels,
    publicUrl: url.replace('http:', 'https:'),
    trustedProxy: options.trustedProxy,
    trustsClientCert: options.trustsClientCert ?? false,
    ...(options.tls && { tls: options.tls }),
  });
  server.on('request', app);
  const blueprintId = await newBlueprint(database, ring);
  return {
    url,
    database,
    databaseUrl: own.url,
    keyFile,
    metrics,
    ring,
    longPolls,
    authority,
    channels,
    blueprintId,
    async newCode({ forUdid, maxUses = 10, userName, expiresInSeconds = 3600 } = {}) {
      const code = newEnrollmentCode();
      await database.query(
        `insert into enrollment_codes (blueprint_id, code_hash, for_udid, user_name, max_uses, expires_at, created_by)
         values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6), 'test')`,
        [blueprintId, enrollmentCodeHash(code), forUdid ?? null, userName ?? null, maxUses, expiresInSeconds],
      );
      return code;
    },
    async stop() {
      await longPolls.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await own.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What an installation needs before a device can enroll. @returns the handle of its key */
export async function storePushCertificate(database: Database, ring: KeyRing): Promise<string> {
  const { id: secretId } = await storeSecret(database, ring, {
    kind: 'push_key',
    value: randomBytes(8),
    by: 'test',
  });
  await database.query(
    `insert into push_certificates (topic, certificate_pem, key_secret_id, access_rights, not_after) values ($1, 'pem', $2, 'trust_only', now() + interval '1 year')`,
    [TOPIC, secretId],
  );
  return secretId;
}

export async function newBlueprint(database: Database, ring: KeyRing): Promise<string> {
  const secretId = await storePushCertificate(database, ring);
  const [row] = await database.query<{ id: string }>(
    `with integration as (
       insert into integrations (name, okta_org_id, okta_host, credentials_kind, client_id, credentials_secret_id, granted_scopes)
       values ('acme', $1, 'acme.okta.com', 'api_service_integration', 'c', $2, '{}') returning id),
     platforms as (
       insert into integration_platforms (integration_id, platform, secret_id)
       select id, platform, $2::uuid from integration, unnest(array['macOS', 'iOS']) as platform),
     item as (insert into library_items (integration_id, device_trust_on) select id, true from integration returning id),
     blueprint as (insert into blueprints (name) values ('test') returning id)
     insert into library_item_blueprints (blueprint_id, library_item_id) select blueprint.id, item.id from blueprint, item
     returning blueprint_id as id`,
    [randomUUID(), secretId],
  );
  return row?.id ?? '';
}

export interface CommandWish {
  readonly requestType?: string;
  readonly step?: string;
  readonly handsOverOnce?: boolean;
  readonly lifeMs?: number;
  readonly workflow?: 'rollout' | 'certificate';
  readonly isSealed?: boolean;
  /** Of its user's channel. */
  readonly userId?: string;
}

/** Queues a command as a workflow does; returns its CommandUUID. */
export async function queueFor(
  { database, ring }: Pick<DeviceListener, 'database' | 'ring'>,
  device: { readonly id: string; readonly enrollmentId: string },
  wish: CommandWish = {},
): Promise<string> {
  const uuid = randomUUID();
  const { requestType = 'InstallProfile', step = uuid, workflow = 'rollout', isSealed, ...rest } = wish;
  const body = buildPlist({ CommandUUID: uuid, Command: { RequestType: requestType } });
  const content = isSealed
    ? { sealedBody: Buffer.from(ring.seal(body, sealedCommandContext(uuid))) }
    : { body };
  const workflowId = `${workflow}/${device.id}`;
  const { id: deviceId, enrollmentId } = device;
  await database.inTransaction((sql) =>
    queueCommand(sql, { uuid, deviceId, enrollmentId, workflowId, step, requestType, ...content, ...rest }),
  );
  return uuid;
}
