// What real devices still need of this installation, with the command for each: of the channels that it uses, and no others.
import type { Sql } from '../../adapters/store/base/database.ts';
import { readChannelFacts } from '../../adapters/store/devices/channels-in-use.ts';
import { currentPushCertificate } from '../../adapters/store/devices/push-certificates.ts';
import { findAppsAndBooksToken } from '../../adapters/store/integration/apps-and-books-tokens.ts';
import { listIntegrations } from '../../adapters/store/integration/integrations.ts';
import {
  channelsInUse,
  channelsToAdd,
  needsOfChannels,
  type ChannelNeed,
} from '../../domain/channels-in-use.ts';
import type { ChannelKind } from '../../domain/device-channel.ts';
import type { AdminDependencies } from './admin-dependencies.ts';

export interface Need {
  readonly id: ChannelNeed | 'channel' | 'integration';
  readonly text: string;
  readonly command: string;
  readonly isRequired: boolean;
}

/** What of an installation can be missing; the rest is none of its business. */
export interface InstallationNeeds {
  readonly channels: readonly ChannelKind[];
  /** Applies here, whether it is there or not, in the order in which it is done. */
  readonly applies: readonly Need['id'][];
  readonly missing: readonly Need[];
}

export async function needsOf(
  sql: Sql,
  { publicUrl, hasTls }: Pick<AdminDependencies, 'publicUrl' | 'hasTls'>,
): Promise<InstallationNeeds> {
  const facts = await readChannelFacts(sql);
  const channels = channelsInUse(facts);
  const toAdd = channelsToAdd(facts);
  const isThere: Readonly<Record<Need['id'], boolean>> = {
    public_url: publicUrl !== undefined,
    tls: hasTls,
    push_certificate: (await currentPushCertificate(sql)) !== undefined,
    apps_and_books: (await findAppsAndBooksToken(sql)) !== undefined,
    channel: toAdd.length === 0,
    integration: (await listIntegrations(sql)).length > 0,
  };
  const isApplied = new Set<Need['id']>([
    ...needsOfChannels(channels),
    ...(channels.some((kind) => kind !== 'built_in') ? (['channel'] as const) : []),
    'integration',
  ]);
  const needs = NEEDS.filter(({ id }) => isApplied.has(id));
  const missing = needs
    .filter(({ id }) => !isThere[id])
    .map((need) => ({
      ...need,
      command: need.id === 'channel' ? `${need.command} --kind ${toAdd[0] ?? ''}` : need.command,
      isRequired: true,
    }));
  return { channels, applies: needs.map(({ id }) => id), missing };
}

const NEEDS: readonly Omit<Need, 'isRequired'>[] = [
  {
    id: 'public_url',
    text: 'The address where devices, or NanoMDM, reach Odette. It cannot change after the first enrollment.',
    command: 'ODETTE_PUBLIC_URL=https://mdm.example.com npm start -- --no-sandbox',
  },
  {
    id: 'tls',
    text: 'Devices require TLS, and NanoMDM should use it: set a certificate, or put a trusted proxy in front of Odette.',
    command: 'ODETTE_TLS_CERT_FILE=cert.pem ODETTE_TLS_KEY_FILE=key.pem npm start -- --no-sandbox',
  },
  {
    id: 'push_certificate',
    text: "Apple's push certificate wakes the devices.",
    command: 'npx odette push-certificate set FILE --access-rights trust-only',
  },
  {
    id: 'apps_and_books',
    text: 'The Apps and Books token gives each device its Okta Verify license.',
    command: 'npx odette apps-and-books set FILE',
  },
  {
    id: 'channel',
    text: 'The MDM server that you chose in the setup is not added yet.',
    command: 'npx odette channel create NAME --url URL --api-key-file FILE',
  },
  {
    id: 'integration',
    text: 'No Okta tenant is connected.',
    command: 'npx odette setup apply -f setup.yaml',
  },
];
