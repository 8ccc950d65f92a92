// The Apps and Books token: set, and shown with the licenses that are left.
import { AppsAndBooksClient, type Asset } from '../../adapters/apps-and-books/apps-and-books-client.ts';
import { TOKEN_REFUSALS } from '../../adapters/apps-and-books/errors.ts';
import { readToken } from '../../adapters/apps-and-books/server-token.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { listSecretFacts, storeSecret } from '../../adapters/store/base/secrets.ts';
import {
  appsAndBooksClientId,
  findAppsAndBooksToken,
  saveAppsAndBooksToken,
  type AppsAndBooksTokenRow,
} from '../../adapters/store/integration/apps-and-books-tokens.ts';
import { OKTA_VERIFY } from '../../domain/device-report.ts';
import { CataloguedError } from '../../domain/failures.ts';
import { addressOf } from '../../domain/secret-address.ts';
import type { appleAccess } from '../contract/apple-access.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { daysLeft } from './apple-access.ts';
import { showFailure } from './failure-view.ts';
import { secretSet } from './setup-view.ts';

type Operations = Pick<typeof appleAccess, 'getAppsAndBooks' | 'setAppsAndBooks'>;

export function appsAndBooksHandlers({
  database,
  sealer,
  appsAndBooks,
  appsAndBooksUrl,
  publicUrl,
}: AdminDependencies): Handlers<Operations> {
  const showAppsAndBooks = async (sql: Sql, token: AppsAndBooksTokenRow) => {
    const facts = await listSecretFacts(sql, [token.secretId]);
    const { organization, location, expiresAt, setAt } = token;
    const set = secretSet(facts.get(token.secretId)) ?? null;
    return {
      organization,
      location,
      expiresAt,
      daysLeft: daysLeft(expiresAt),
      setAt,
      token: set,
      ...(await requestLicenses(appsAndBooks, await appsAndBooksClientId(database))),
    };
  };
  return {
    getAppsAndBooks: async ({ sql }) => {
      const token = await findAppsAndBooksToken(sql);
      if (!token) throw new ProblemError('apps_and_books.token_missing');
      return showAppsAndBooks(sql, token);
    },

    setAppsAndBooks: async ({ body, caller }) => {
      const read = readTokenFile(body.token);
      const client = new AppsAndBooksClient({ url: appsAndBooksUrl, token: read.token });
      const id = await appsAndBooksClientId(database);
      const location = await checkedLocation(client, id, body.confirmTakeover === true);
      await client.claim({
        id,
        name: 'Odette',
        metadata: publicUrl === undefined ? '' : new URL(publicUrl).host,
      });
      await database.inTransaction(async (sql) => {
        const before = await findAppsAndBooksToken(sql);
        const secret = await storeSecret(sql, sealer, {
          kind: 'apps_and_books_token',
          value: read.token,
          by: caller.actor,
          address: addressOf(appsAndBooksUrl),
          ...(before && { id: before.secretId }),
        });
        const { organization, expiresAt } = read;
        await saveAppsAndBooksToken(sql, {
          secretId: secret.id,
          organization,
          location: location.name,
          expiresAt,
        });
        await appendAudit(sql, {
          actor: caller.actor,
          action: 'apps_and_books.set',
          detail: {
            organization,
            location: location.name,
            expiresAt,
            ...(location.heldBy && { takenOverFrom: location.heldBy }),
          },
        });
        await appendEvent(sql, { kind: 'apps_and_books.changed', subject: 'apps_and_books' });
      });
      const token = await findAppsAndBooksToken(database);
      if (!token) throw new ProblemError('apps_and_books.token_missing');
      return showAppsAndBooks(database, token);
    },
  };
}

function readTokenFile(content: string) {
  const read = readOrRefuse(content);
  if (read.expiresAt.getTime() < Date.now())
    throw fieldProblem('apps_and_books.token_refused', 'token', {
      detail: `It expired on ${read.expiresAt.toISOString().slice(0, 10)}.`,
    });
  return read;
}

function readOrRefuse(content: string) {
  try {
    return readToken(content);
  } catch (error) {
    if (error instanceof CataloguedError) throw fieldProblem(error.code, 'token');
    throw error;
  }
}

/**
 * Asks Apple before anything is stored: whether it takes the token, and who uses the location.
 * @throws ProblemError `apps_and_books.token_refused`, `apps_and_books.held_by_other`
 * @throws CataloguedError where Apple could not be asked
 */
async function checkedLocation(
  client: AppsAndBooksClient,
  ownId: string,
  mayTakeOver: boolean,
): Promise<{ readonly name: string; readonly heldBy: string | undefined }> {
  const { name, mdmId, mdmName } = await client.location().catch((error: unknown) => {
    if (!(error instanceof CataloguedError) || error.code !== 'apps_and_books.token_refused') throw error;
    const detail = TOKEN_REFUSALS[Number(error.facts['errorNumber'])];
    throw fieldProblem(error.code, 'token', detail === undefined ? {} : { detail });
  });
  const heldBy = mdmId === undefined || mdmId === ownId ? undefined : (mdmName ?? mdmId);
  if (heldBy !== undefined && !mayTakeOver)
    throw new ProblemError('apps_and_books.held_by_other', {
      detail: `“${heldBy}” uses the location “${name}”.`,
      facts: { location: name, heldBy },
    });
  return { name, heldBy };
}

async function requestLicenses(appsAndBooks: AdminDependencies['appsAndBooks'], ownId: string) {
  try {
    const client = await appsAndBooks();
    const assets = (await client.asset(OKTA_VERIFY.adamId)).filter((asset) => asset.isDeviceAssignable);
    const { mdmId } = await client.location();
    const isHeldByOther = mdmId !== undefined && mdmId !== ownId;
    return {
      licenses: {
        ...sumOf(assets),
        platforms: PLATFORMS.map((platform) => ({
          platform,
          // Where Apple names no platform it is not known to lack this one.
          ...sumOf(assets.filter(({ platforms }) => platforms.length === 0 || platforms.includes(platform))),
        })),
      },
      failure: isHeldByOther ? showFailure('apps_and_books.held_by_other') : null,
    };
  } catch (error) {
    if (!(error instanceof CataloguedError)) throw error;
    return { licenses: null, failure: showFailure(error.code) };
  }
}

const PLATFORMS = ['macOS', 'iOS'] as const;

const sumOf = (assets: readonly Asset[]) => ({
  total: assets.reduce((sum, asset) => sum + asset.total, 0),
  available: assets.reduce((sum, asset) => sum + asset.available, 0),
});
