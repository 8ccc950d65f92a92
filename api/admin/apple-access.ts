// What is wrong with the push certificates, the Apps and Books token and TLS, or soon will be: for the alarms, and before a save.
import { findAppsAndBooksToken } from '../../adapters/store/integration/apps-and-books-tokens.ts';
import type { Sql } from '../../adapters/store/base/database.ts';
import { readChannelFacts } from '../../adapters/store/devices/channels-in-use.ts';
import { pushCertificatesInUse } from '../../adapters/store/devices/push-certificates.ts';
import { readDeviceTlsEnd } from '../../adapters/store/devices/device-tls.ts';
import type { TlsConnection } from '../../adapters/tls/connection-check.ts';
import { channelsInUse, needsOfChannels, type ChannelNeed } from '../../domain/channels-in-use.ts';
import type { FailureCode } from '../../domain/failures.ts';
import { plural } from '../../domain/plural.ts';

export interface AppleTrouble {
  readonly code: FailureCode;
  readonly text: string;
  readonly since: Date | null;
}

const DAY_MS = 86_400_000;
/** Time for people to renew it. */
const SOON_DAYS = 30;

export const daysLeft = (until: Date): number => Math.floor((until.getTime() - Date.now()) / DAY_MS);

export const neededByChannels = async (sql: Sql): Promise<ReadonlySet<ChannelNeed>> =>
  needsOfChannels(channelsInUse(await readChannelFacts(sql)));

/** Of what the channels in use need: a certificate that wakes no device may end. */
export async function appleTroubles(sql: Sql, publicUrl: TlsConnection | undefined): Promise<AppleTrouble[]> {
  const needed = await neededByChannels(sql);
  const token = needed.has('apps_and_books') ? await tokenTrouble(sql) : undefined;
  return [
    ...(needed.has('push_certificate') ? await pushTroubles(sql) : []),
    ...(token ? [token] : []),
    ...(needed.has('tls') ? await tlsTroubles(sql, publicUrl) : []),
  ];
}

/** Of the one that new enrollments use first, then of those with which devices are enrolled; none at all is no trouble here. */
export async function pushTroubles(sql: Sql): Promise<AppleTrouble[]> {
  return (await pushCertificatesInUse(sql)).flatMap(({ topic, refusedAt, notAfter }, place) => {
    const which = place === 0 ? 'push certificate' : `push certificate of the earlier topic ${topic}`;
    const whom =
      place === 0 ? 'Odette cannot wake devices' : 'Odette cannot wake the devices that enrolled with it';
    const code = 'apns.certificate_refused' as const;
    if (refusedAt) return [{ code, text: `Apple rejects the ${which}: ${whom}.`, since: refusedAt }];
    const ending = endingOf(`The ${which}`, notAfter, whom);
    return ending === undefined ? [] : [{ code, ...ending }];
  });
}

export async function tokenTrouble(sql: Sql): Promise<AppleTrouble | undefined> {
  const token = await findAppsAndBooksToken(sql);
  if (!token) return undefined;
  const ending = endingOf('The Apps and Books token', token.expiresAt, 'devices get no license');
  return ending && { code: 'apps_and_books.token_refused', ...ending };
}

/** What devices would not accept of the address under which they reach Odette, and when its certificate ends. */
async function tlsTroubles(sql: Sql, publicUrl: TlsConnection | undefined): Promise<AppleTrouble[]> {
  // What the address presents counts: a proxy may stand before the listener.
  const end = publicUrl?.notAfter ?? (await readDeviceTlsEnd(sql));
  const ending = end && endingOf('The TLS certificate for devices', end, 'devices cannot connect');
  return [
    ...(ending ? [{ code: 'tls.certificate_expires' as const, ...ending }] : []),
    ...(publicUrl?.problems ?? []).map((text) => ({
      code: 'tls.not_accepted' as const,
      text: `The public URL: ${text}`,
      since: null,
    })),
  ];
}

function endingOf(what: string, end: Date, consequence: string): Omit<AppleTrouble, 'code'> | undefined {
  if (end.getTime() < Date.now()) return { text: `${what} has expired: ${consequence}.`, since: end };
  const days = daysLeft(end);
  if (days >= SOON_DAYS) return undefined;
  const when = days === 0 ? 'within a day' : `in ${plural(days, 'day')}`;
  return { text: `${what} expires ${when}.`, since: null };
}
