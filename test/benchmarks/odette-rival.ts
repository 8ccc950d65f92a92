// Odette's device process as a rival of a benchmark: a blueprint, codes, and commands as workflows queue them. No worker and no relay run.
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { KeyPair } from '../../adapters/pki/certificate-authority.ts';
import { KeyRing } from '../../adapters/secrets/key-ring.ts';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { enrollmentCodeHash, newEnrollmentCode } from '../../adapters/store/devices/enrollments.ts';
import { identityAuthority } from '../../api/mdm/identity-authority.ts';
import { freePort } from '../../workers/free-port.ts';
import { buildPrograms } from '../../scripts/build-programs.mjs';
import { startNodeProcess } from '../../workers/node-process.ts';
import { newBlueprint } from '../harness/device-listener.ts';
import { challengeIn } from '../harness/protocol-device.ts';
import { connectionsTo, put, type Rival } from './device-load.ts';
import { commandBody } from './nanomdm-rivals.ts';
import { prepareScep, type ScepRequest } from './scep-load.ts';
import { queueCommand } from '../harness/queue-command.ts';

export const ODETTE = 'Odette';

export async function startOdetteRival({
  folder,
  tls,
  databaseUrl,
}: {
  readonly folder: string;
  readonly tls: { readonly cert: string; readonly key: string };
  readonly databaseUrl: string;
}) {
  await buildPrograms(() => undefined);
  const data = path.join(folder, 'odette');
  const listen = `127.0.0.1:${await freePort()}`;
  const origin = `https://${listen}`;
  const listener = await startNodeProcess({
    name: 'devices',
    program: 'workers/device-server',
    folder,
    environment: {
      ...process.env,
      NODE_ENV: 'production',
      DATABASE_URL: databaseUrl,
      ODETTE_DATA_DIR: data,
      ODETTE_PUBLIC_URL: origin,
      ODETTE_DEVICE_LISTEN: listen,
      ODETTE_DEVICE_METRICS_LISTEN: `127.0.0.1:${await freePort()}`,
      ODETTE_TLS_CERT_FILE: tls.cert,
      ODETTE_TLS_KEY_FILE: tls.key,
      // Nothing waits for a next command: both sides answer at once.
      ODETTE_LONG_POLL_MS: '0',
      ODETTE_LOG_LEVEL: 'warn',
    },
  });
  const database = connectDatabase(databaseUrl, { max: 4, applicationName: 'bench' });
  const ring = await KeyRing.open(path.join(data, 'odette.key'), { create: false });
  const { authority } = await identityAuthority(database, ring)();
  const blueprintId = await newBlueprint(database, ring);
  const pool = connectionsTo(origin);
  let addresses = 1;

  const rival: Rival = {
    name: ODETTE,
    pid: listener.pid,
    send: (message) => put(pool, message),
    async queue(devices, count) {
      const known = await database.query<{ id: string; enrollmentId: string; udid: string }>(
        'select id, enrollment_id, udid from devices where udid = any($1)',
        [devices.map(({ udid }) => udid)],
      );
      const byUdid = new Map(known.map((device) => [device.udid, device]));
      return Promise.all(
        devices.map(({ udid }) =>
          database.inTransaction(async (sql) => {
            const device = byUdid.get(udid);
            if (!device) throw new Error(`${udid} is not enrolled`);
            const uuids = Array.from({ length: count }, () => randomUUID());
            for (const uuid of uuids)
              await queueCommand(sql, {
                uuid,
                deviceId: device.id,
                enrollmentId: device.enrollmentId,
                workflowId: `rollout/${device.id}`,
                step: uuid,
                requestType: 'InstallProfile',
                body: commandBody(uuid),
              });
            return uuids;
          }),
        ),
      );
    },
  };
  return {
    ...rival,
    authorityPem: authority.certificate.pem,
    /** Each batch from an address of its own: one address may ask for 300 certificates a minute. */
    async prepareCertificates(count: number, keyPair: KeyPair): Promise<ScepRequest[]> {
      addresses += 1;
      const scep = connectionsTo(origin, `127.0.0.${addresses}`);
      const code = newEnrollmentCode();
      await database.query(
        `insert into enrollment_codes (blueprint_id, code_hash, max_uses, expires_at, created_by)
         values ($1, $2, $3, now() + interval '1 hour', 'bench')`,
        [blueprintId, enrollmentCodeHash(code), count],
      );
      const requests: ScepRequest[] = [];
      for (let index = 0; index < count; index += 1) {
        const { body } = await scep.request({
          path: '/enroll',
          method: 'POST',
          body: new URLSearchParams({ code }).toString(),
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        });
        const challenge = challengeIn(Buffer.from(await body.arrayBuffer()));
        requests.push(prepareScep({ pool: scep, authority: authority.certificate, keyPair, challenge }));
      }
      return requests;
    },
    async stop() {
      await pool.close();
      await database.end();
      await listener.stop();
    },
  };
}
