// Another user of the machine looks for a way into the embedded database: its socket, its files, a folder prepared for it, its processes.
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../adapters/store/base/database.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../workers/embedded-postgres.ts';
import { isRoot, runAs, STRANGER } from './other-users.ts';

const NOBODY = 65_534;
if (!isRoot()) console.log('skipped: the attacks of other users on the database need root to become one');

/** Says "I am odette" to the server and prints the first thing that it says. */
const KNOCK = `
const socket = require('node:net').connect(process.argv[1]);
socket.on('error', (error) => console.log(error.code));
socket.on('connect', () => {
  const body = Buffer.from('\\0\\x03\\0\\0user\\0odette\\0database\\0odette\\0\\0', 'latin1');
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  socket.write(Buffer.concat([length, body]));
});
socket.on('data', (chunk) => { console.log(chunk.toString('latin1').replaceAll('\\0', ' ')); socket.end(); });
`;
const READ = `try { console.log(require('node:fs').readdirSync(process.argv[1]).length + ' names') } catch (error) { console.log(error.code) }`;

let folder: string;
let postgres: EmbeddedPostgres;
let socket: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'odette-attacked-'));
  await chmod(folder, 0o711);
  postgres = await startEmbeddedPostgres({
    folder: path.join(folder, 'postgres'),
    isDurable: false,
  });
  socket = path.join(folder, 'postgres', 'socket', '.s.PGSQL.5432');
});
afterAll(async () => {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.runIf(isRoot())('another user of the machine', () => {
  test.each([STRANGER, NOBODY])('(%i) reaches neither socket nor files', async (uid) => {
    expect(await runAs(uid, KNOCK, socket)).toBe('EACCES');
    for (const name of ['', 'data', 'socket'])
      expect(await runAs(uid, READ, path.join(folder, 'postgres', name))).toBe('EACCES');
  });

  test.each([STRANGER, NOBODY])('(%i) is not let in where the socket is open to all', async (uid) => {
    await chmod(path.dirname(socket), 0o711);
    await chmod(socket, 0o777);
    try {
      const said = await runAs(uid, KNOCK, socket);
      expect(said).toMatch(/^E/);
      expect(said).toMatch(/28000|Peer authentication failed|could not look up local user/i);
    } finally {
      await chmod(socket, 0o700);
      await chmod(path.dirname(socket), 0o700);
    }
  });

  test('finds no process and no account that runs as the user of the database', async () => {
    const { uid, gid } = await stat(`/proc/${postgres.pid}`);
    expect([0, NOBODY, process.getuid?.()]).not.toContain(uid);
    expect(gid).toBe(uid);
    expect(
      await runAs(uid, `try { require('node:os').userInfo() } catch (error) { console.log('no account') }`),
    ).toBe('no account');
  });

  test('cannot write the rules of access, nor can the user of the database', async () => {
    const { uid } = await stat(`/proc/${postgres.pid}`);
    const write = `try { require('node:fs').appendFileSync(process.argv[1], 'local all all trust') } catch (error) { console.log(error.code) }`;
    for (const user of [STRANGER, NOBODY, uid])
      expect(await runAs(user, write, path.join(folder, 'postgres', 'pg_hba.conf'))).toBe('EACCES');
  });

  test('who prepared the folder, or a cluster in it, is refused', async () => {
    const prepared = path.join(folder, 'prepared');
    await mkdir(prepared);
    await chown(prepared, STRANGER, STRANGER);
    await expect(startEmbeddedPostgres({ folder: prepared })).rejects.toThrow('belongs to another user');
    const cluster = path.join(folder, 'cluster');
    await mkdir(path.join(cluster, 'data'), { recursive: true });
    await chown(path.join(cluster, 'data'), NOBODY, NOBODY);
    await expect(startEmbeddedPostgres({ folder: cluster })).rejects.toThrow(`belongs to user ${NOBODY}`);
  });

  test('who prepared the folder of the socket is refused', async () => {
    const planted = path.join(folder, 'planted');
    await mkdir(planted);
    await mkdir(path.join(planted, 'socket'), { mode: 0o777 });
    await chown(path.join(planted, 'socket'), STRANGER, STRANGER);
    await expect(startEmbeddedPostgres({ folder: planted })).rejects.toThrow('belongs to another user');
  });
});

test('the user who started it comes in without a password, and no rule of access trusts anybody', async () => {
  const database = connectDatabase(postgres.url, { max: 1 });
  expect(await database.query('select current_user as name, system_user as as')).toEqual([
    { name: 'odette', as: `peer:${os.userInfo().username}` },
  ]);
  expect(await database.query('select type, auth_method as method from pg_hba_file_rules')).toEqual([
    { type: 'local', method: 'peer' },
  ]);
  expect(await database.query(`select setting from pg_settings where name = 'listen_addresses'`)).toEqual([
    { setting: '' },
  ]);
  await database.end();
  expect(postgres.url).not.toMatch(/password|:.*@/);
});

test('a link in the place of the folder is not followed', async () => {
  const target = path.join(folder, 'target');
  await mkdir(target);
  await writeFile(path.join(target, 'kept'), '');
  await symlink(target, path.join(folder, 'link'));
  await expect(startEmbeddedPostgres({ folder: path.join(folder, 'link') })).rejects.toThrow('is a link');
  expect(await readdir(target)).toEqual(['kept']);
});
