// A supervised Mac escrows its bootstrap token (SetBootstrapToken) and asks for it back (GetBootstrapToken).
import type { OtherMessage, SetBootstrapToken } from '../../adapters/mdm/device-message.ts';
import { buildPlist } from '../../adapters/mdm/plist.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Database } from '../../adapters/store/base/database.ts';
import {
  deleteBootstrapToken,
  openBootstrapToken,
  storeBootstrapToken,
} from '../../adapters/store/devices/bootstrap-tokens.ts';
import type { Sealer } from '../../domain/sealer.ts';
import { pinnedDevice } from './check-in.ts';
import type { Signer } from './signer.ts';

interface Dependencies {
  readonly database: Database;
  readonly sealer: Sealer;
}

/** An absent or empty token deletes the kept one. */
export async function setBootstrapToken(
  { database, sealer }: Dependencies,
  message: SetBootstrapToken,
  signer: Signer,
): Promise<void> {
  await database.inTransaction(async (sql) => {
    const { id } = await pinnedDevice(sql, message.udid, signer);
    const { bootstrapToken } = message;
    if (bootstrapToken) await storeBootstrapToken(sql, sealer, id, bootstrapToken);
    else if (!(await deleteBootstrapToken(sql, id))) return;
    const subject = `device:${id}`;
    const action = bootstrapToken ? 'bootstrap_token.escrowed' : 'bootstrap_token.deleted';
    await appendAudit(sql, { actor: subject, action, subject });
  });
}

/** The property list with the token; undefined: there is none. */
export async function getBootstrapToken(
  { database, sealer }: Dependencies,
  message: OtherMessage,
  signer: Signer,
): Promise<Buffer | undefined> {
  return database.inTransaction(async (sql) => {
    const { id } = await pinnedDevice(sql, message.udid, signer);
    const token = await openBootstrapToken(sql, sealer, id);
    if (!token) return undefined;
    const subject = `device:${id}`;
    await appendAudit(sql, { actor: subject, action: 'bootstrap_token.given_back', subject });
    const body = buildPlist({ BootstrapToken: token });
    token.fill(0);
    return body;
  });
}
