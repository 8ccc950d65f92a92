// NanoMDM and micromdm/scep as rivals of a benchmark: started, filled and asked.
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import type { KeyPair } from '../../adapters/pki/certificate-authority.ts';
import { readCertificate } from '../../adapters/pki/certificate.ts';
import { connectDatabase, type Database } from '../../adapters/store/base/database.ts';
import type { EmbeddedPostgres } from '../../workers/embedded-postgres.ts';
import { connectionsTo, put, type Rival } from './device-load.ts';
import { outputOf, startPeer, type PeerPrograms } from './peers.ts';
import { prepareScep, type ScepRequest } from './scep-load.ts';

export interface RivalSetting {
  readonly programs: PeerPrograms;
  readonly tls: { readonly cert: string; readonly key: string };
  readonly postgres: EmbeddedPostgres;
  /** Of the devices' identities. */
  readonly authorityPem: string;
  readonly folder: string;
}

type Stopping = { stop(): Promise<unknown> };

/** published: the program of its authors, over HTTP. pooled: its packages over TLS, with 32 connections to PostgreSQL. */
export async function startNanoMdm(
  form: 'published' | 'pooled',
  { programs, tls, postgres, authorityPem, folder }: RivalSetting,
): Promise<Rival & Stopping> {
  const name = `nano_${form}`;
  await onDatabase(postgres.url, (database) => database.query(`create database ${name}`));
  const url = postgres.urlOf(name);
  const schema = outputOf(programs.peers, ['schema']);
  await onDatabase(url, (database) => database.query(schema));
  const ca = path.join(folder, 'identities.pem');
  await writeFile(ca, authorityPem);
  const query = new URL(url).searchParams;
  const dsn = `host=${query.get('host')} user=${query.get('user')} dbname=${name} sslmode=disable`;
  const peer =
    form === 'published'
      ? await startPeer(
          programs.nanomdm,
          (listen) => flags({ listen, ca, storage: 'pgsql', 'storage-dsn': dsn }),
          'http',
        )
      : await startPeer(
          programs.peers,
          (listen) => [
            'mdm',
            ...flags({ listen, ca, dsn, pool: '32', 'tls-cert': tls.cert, 'tls-key': tls.key }),
          ],
          'https',
        );
  const pool = connectionsTo(peer.origin);
  return {
    name: form === 'published' ? 'NanoMDM as published' : 'NanoMDM, pool of 32',
    pid: peer.pid,
    send: (message) => put(pool, message),
    async queue(devices, count) {
      const commands = devices.map(() => Array.from({ length: count }, () => randomUUID().toUpperCase()));
      const rows = commands.flatMap((uuids, index) =>
        uuids.map((uuid) => [devices[index]?.udid, uuid] as const),
      );
      const ids = rows.map(([, uuid]) => uuid);
      await onDatabase(url, async (database) => {
        await database.query(
          `insert into commands (command_uuid, request_type, command)
           select uuid, 'InstallProfile', body from unnest($1::text[], $2::text[]) as given (uuid, body)`,
          [ids, ids.map((uuid) => commandBody(uuid).toString('utf8'))],
        );
        await database.query(
          `insert into enrollment_queue (id, command_uuid) select * from unnest($1::text[], $2::text[])`,
          [rows.map(([udid]) => udid), ids],
        );
      });
      return commands;
    },
    async stop() {
      await pool.close();
      await peer.stop();
    },
  };
}

export const commandBody = (uuid: string): Buffer =>
  buildPlist({
    CommandUUID: uuid,
    Command: { RequestType: 'InstallProfile', Payload: Buffer.alloc(3000, 7) },
  });

const CHALLENGE = 'the same for everybody';

/** micromdm/scep over TLS, with an authority of 2048 bits as Odette's is. */
export async function startScepServer({ programs, tls, folder }: RivalSetting) {
  const depot = path.join(folder, 'depot');
  outputOf(programs.scepserver, ['ca', '-init', '-keySize', '2048', '-depot', depot]);
  const authority = readCertificate(await readFile(path.join(depot, 'ca.pem')));
  const peer = await startPeer(
    programs.peers,
    (listen) => [
      'scep',
      ...flags({ listen, depot, challenge: CHALLENGE, 'tls-cert': tls.cert, 'tls-key': tls.key }),
    ],
    'https',
  );
  const pool = connectionsTo(peer.origin);
  return {
    name: 'micromdm/scep',
    pid: peer.pid,
    prepareCertificates: async (count: number, keyPair: KeyPair): Promise<ScepRequest[]> =>
      Array.from({ length: count }, () => prepareScep({ pool, authority, keyPair, challenge: CHALLENGE })),
    async stop() {
      await pool.close();
      await peer.stop();
    },
  };
}

const flags = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => [`-${name}`, value]);

async function onDatabase(url: string, work: (database: Database) => Promise<unknown>): Promise<void> {
  const database = connectDatabase(url, { max: 1, applicationName: 'bench' });
  try {
    await work(database);
  } finally {
    await database.end();
  }
}
