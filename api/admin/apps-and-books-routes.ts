// The Apps and Books token: set, and shown with the licenses that are left.
import { readToken } from '../../adapters/apps-and-books/server-token.ts';
import { appendAudit } from '../../adapters/store/base/audit.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { appendEvent } from '../../adapters/store/base/events.ts';
import { listSecretFacts, storeSecret } from '../../adapters/store/base/secrets.ts';
import {
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
}: AdminDependencies): Handlers<Operations> {
  const showAppsAndBooks = async (sql: Sql, token: AppsAndBooksTokenRow) => {
    const facts = await listSecretFacts(sql, [token.secretId]);
    const { organization, expiresAt, setAt } = token;
    const set = secretSet(facts.get(token.secretId)) ?? null;
    return {
      organization,
      expiresAt,
      daysLeft: daysLeft(expiresAt),
      setAt,
      token: set,
      ...(await requestLicenses(appsAndBooks)),
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
        await saveAppsAndBooksToken(sql, { secretId: secret.id, organization, expiresAt });
        await appendAudit(sql, {
          actor: caller.actor,
          action: 'apps_and_books.set',
          detail: { organization, expiresAt },
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
  try {
    return readToken(content);
  } catch (error) {
    if (error instanceof CataloguedError) throw fieldProblem(error.code, 'token');
    throw error;
  }
}

async function requestLicenses(appsAndBooks: AdminDependencies['appsAndBooks']) {
  try {
    const assets = await (await appsAndBooks()).asset(OKTA_VERIFY.adamId);
    const sum = (part: 'available' | 'total') => assets.reduce((total, asset) => total + asset[part], 0);
    return { licenses: { total: sum('total'), available: sum('available') }, failure: null };
  } catch (error) {
    if (!(error instanceof CataloguedError)) throw error;
    return { licenses: null, failure: showFailure(error.code) };
  }
}
