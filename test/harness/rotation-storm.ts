// Secrets are rotated while devices are being rolled out and parts are killed: what the pretend tenant was asked with, and how devices end.
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiProblem } from '../../api/contract/client.ts';
import type { RotatedSecret } from '../../domain/secret-rotation.ts';
import { enrollDevices } from '../../sandbox/demo/enroll.ts';
import { fingerprintOf } from '../../sandbox/okta/request-journal.ts';
import { killAtRandom, requestsOf } from './okta-trouble.ts';
import type { TrustedWorld } from './stage.ts';
import { eventually, type PartName, type World } from './world.ts';

export interface StormOptions {
  /** Rolled out while each secret is rotated. */
  readonly devices: number;
  readonly parts: readonly PartName[];
  readonly betweenKillsMs: readonly [least: number, most: number];
  readonly withinMs: number;
}

export interface StormResult {
  readonly kind: RotatedSecret;
  readonly killed: readonly PartName[];
  /** Requests of any kind to the tenant since the rotation began that carried a secret; those with the new one. */
  readonly carried: number;
  readonly withNew: number;
  /** Requests that began after the commit and carried the old value; of those, after it was destroyed. */
  readonly oldAfterCommit: number;
  readonly oldAfterDestroyed: number;
  /** iPhones whose configuration is not the new one at the end. */
  readonly phonesWithOld: number;
  /** Devices that show a failure, and those that are not delivered. */
  readonly failed: readonly string[];
  readonly seconds: number;
}

interface Tenant {
  readonly clients: readonly {
    kind: string;
    clientId: string;
    secrets?: { id: string }[];
    publicJwks?: { kid: string }[];
  }[];
  readonly platforms: readonly { platform: string; id: string }[];
}

interface Rotation {
  readonly id: string;
  readonly status: string;
  readonly publicJwk: Record<string, string> | null;
  readonly committedAt: string | null;
  readonly oldDestroyedAt: string | null;
}

/** What fits each of the four, as Okta asks of a chosen key. */
const newValue = (): string => `New_${randomBytes(18).toString('base64url')}`;

/** Parts are down at times: asked again until it is done. @throws ApiProblem what no waiting changes */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await work();
    } catch (error) {
      const isFinal = error instanceof ApiProblem && error.problem.status < 500;
      if (isFinal || attempt === 60) throw error;
      await pause(500);
    }
}

export async function rotateInTheStorm(
  world: World,
  { stage, integrationId, blueprintId }: TrustedWorld,
  kind: RotatedSecret,
  options: StormOptions,
): Promise<StormResult> {
  const { odette } = stage;
  const tenant = () => world.manage<Tenant>('GET', '/tenants/one');
  const { clients, platforms } = await tenant();
  const integration = await odette.call('get /api/integrations/{id}', { params: { id: integrationId } });
  const client = clients.find(({ clientId }) => clientId === integration.clientId);
  const platform = (name: string) => platforms.find((each) => each.platform === name)?.id ?? '';
  const isPhones = kind === 'ios_secret_key';
  const prefix = `${kind.replaceAll('_', '-')}`;
  for (let index = 0; index < options.devices; index += 1)
    await world.manage('POST', '/devices', {
      family: isPhones ? 'iPhone' : 'Mac',
      name: `${prefix}-${index}`,
      user: { login: `${prefix}-${index}@example.com` },
      knobs: { downloadSeconds: 0, signInSeconds: 0 },
    });

  const began = Date.now();
  let isEnrolled = false;
  const enrolling = (async () => {
    for (; !isEnrolled;)
      isEnrolled = await enrollDevices(stage, blueprintId).then(
        () => true,
        () => pause(500, false),
      );
  })();
  interface Listed {
    readonly user: string | null;
    readonly phase: string;
    readonly bucket: string;
    readonly failureCode: string | null;
  }
  const batch = async (): Promise<Listed[]> => {
    const { items } = await odette.call('get /api/devices', { query: { limit: 500, search: prefix } });
    return items.filter(({ user }) => user?.startsWith(prefix) === true);
  };
  await eventually(batch, (devices) => devices.length >= options.devices / 4, {
    withinMs: options.withinMs,
    what: `a quarter of ${options.devices} devices enrolled`,
  });

  const value = newValue();
  const known = (await requestsOf(world)).filter(({ secret, status }) => secret !== null && status === 200);
  const nameOfRequests = kind === 'challenge_password' ? 'challenge' : 'token';
  const old = known.filter(({ name }) => name === nameOfRequests).at(-1)?.secret;
  const stopKills = killAtRandom(world, options.parts, options.betweenKillsMs);
  const params = { id: integrationId };
  const start = async (given?: string): Promise<Rotation> => {
    try {
      const body = { kind, ...(given !== undefined && { value: given }) };
      return (await insist(() => odette.call('post /api/integrations/{id}/rotations', { params, body })))
        .rotation;
    } catch (error) {
      // It was begun by a call whose answer was lost.
      if (!(error instanceof ApiProblem) || error.problem.status !== 409) throw error;
      const { items } = await insist(() => odette.call('get /api/integrations/{id}/rotations', { params }));
      const [newest] = items.filter((each) => each.kind === kind);
      if (newest === undefined) throw error;
      return newest;
    }
  };
  const commit = async (id: string): Promise<void> => {
    await insist(() =>
      odette.call('post /api/rotations/{id}/orders', { params: { id }, body: { order: 'commit' } }),
    ).catch((error: unknown) => {
      if (!(error instanceof ApiProblem) || error.problem.status !== 409) throw error;
    });
  };
  let newSecret = fingerprintOf(value);
  let rotation: Rotation;
  switch (kind) {
    case 'client_secret':
      await world.manage('POST', `/tenants/one/api-service-integrations/${client?.clientId}/secrets`, {
        clientSecret: value,
      });
      rotation = await start(value);
      break;
    case 'challenge_password':
      await world.manage('POST', `/tenants/one/platforms/macos/${platform('macOS')}/reset-password`, {
        password: value,
      });
      rotation = await start(value);
      break;
    case 'ios_secret_key':
      rotation = await start(value);
      await world.manage('POST', `/tenants/one/platforms/ios/${platform('iOS')}/reset-secret-key`, {
        secretKey: value,
      });
      await commit(rotation.id);
      break;
    case 'private_key':
      rotation = await start();
      newSecret = rotation.publicJwk?.['kid'] ?? '';
      await world.manage('PATCH', `/tenants/one/api-services-apps/${client?.clientId}`, {
        publicJwks: [...(client?.publicJwks ?? []), rotation.publicJwk],
      });
      await commit(rotation.id);
      break;
  }
  const { id } = rotation;
  const ended = await eventually(
    () => insist(() => odette.call('get /api/rotations/{id}', { params: { id } })),
    ({ status }) => status === 'finished' || status === 'proving' || status === 'refused',
    { withinMs: options.withinMs, what: `${kind} rotated`, everyMs: 500 },
  );
  if (ended.status === 'refused') throw new Error(`${kind}: ${ended.text}`);
  const killed = await stopKills();
  await enrolling;
  if (kind === 'client_secret')
    await world.manage(
      'DELETE',
      `/tenants/one/api-service-integrations/${client?.clientId}/secrets/${client?.secrets?.[0]?.id}`,
    );
  if (kind === 'private_key')
    await world.manage('PATCH', `/tenants/one/api-services-apps/${client?.clientId}`, {
      publicJwks: [ended.publicJwk],
    });
  const isDone = ({ phase, failureCode }: Listed): boolean => phase === 'delivered' && failureCode === null;
  const devices = await eventually(
    batch,
    (all) => all.length === options.devices && all.every((each) => isDone(each) || each.failureCode !== null),
    { withinMs: options.withinMs, what: `${options.devices} devices ended`, everyMs: 1_000 },
  );
  const carried = (await requestsOf(world, began)).filter(({ secret }) => secret !== null);
  const withOld = (sinceText: string | null) =>
    carried.filter(
      ({ secret, beganAtMs }) => secret === old && sinceText !== null && beganAtMs > Date.parse(sinceText),
    ).length;
  return {
    kind,
    killed,
    carried: carried.length,
    withNew: carried.filter(({ secret }) => secret === newSecret).length,
    oldAfterCommit: isPhones ? 0 : withOld(ended.committedAt),
    oldAfterDestroyed: isPhones ? 0 : withOld(ended.oldDestroyedAt),
    phonesWithOld: isPhones ? await countOtherHints(world, prefix, options.devices, value) : 0,
    failed: devices.filter((each) => !isDone(each)).map(({ user, failureCode }) => `${user}: ${failureCode}`),
    seconds: (Date.now() - began) / 1_000,
  };
}

async function countOtherHints(world: World, prefix: string, devices: number, hint: string): Promise<number> {
  let others = 0;
  for (let index = 0; index < devices; index += 1) {
    const { apps } = await world.manage<{ apps: { bundleId: string; configuration: object | null }[] }>(
      'GET',
      `/devices/${prefix}-${index}`,
    );
    const configuration = apps.find(({ bundleId }) => bundleId === 'com.okta.mobile')?.configuration;
    if ((configuration as Record<string, unknown> | null)?.['managementHint'] !== hint) others += 1;
  }
  return others;
}

/** The same integration, from now on with an API Services app of the tenant's own, whose key Odette makes; DPoP is on. */
export async function connectByKey(world: World, { integrationId }: TrustedWorld): Promise<void> {
  type Setup = { id: string; step: string; answers: { publicJwk?: object }; status: string };
  const call = async (at: string, body: object): Promise<Setup> => {
    let { status, headers, body: told } = await world.api<Setup>('POST', at, body);
    // A check that takes its time.
    while (status === 202)
      ({ status, headers, body: told } = await world.api<Setup>('GET', headers.get('location') ?? ''));
    if (status >= 300) throw new Error(`${at}: ${status} ${JSON.stringify(told)}`);
    return told;
  };
  const { id } = await call('/api/setups', { integrationId });
  const answer = (body: object) => call(`/api/setups/${id}/answers`, body);
  const { answers } = await answer({ step: 'credentials_kind', credentialsKind: 'api_services_app' });
  const { clientId } = await world.manage<{ clientId: string }>('POST', '/tenants/one/api-services-apps', {
    scopes: ['okta.devices.manage', 'okta.devices.read', 'okta.authenticators.read'],
    roles: ['SUPER_ADMIN'],
    publicJwks: [answers.publicJwk],
  });
  await answer({ step: 'credentials', clientId });
  await answer({ step: 'connect', confirmed: ['adaptive_mfa'] });
  await answer({ step: 'go_to', target: 'complete' });
  await answer({ step: 'complete' });
}
