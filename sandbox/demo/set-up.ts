// The admin's half of the main job: certificates of Apple, the wizard against the pretend tenant, blueprint and library item.
import { readFile } from 'node:fs/promises';
import type { SandboxAddresses } from '../sandbox.ts';
import type { DemoProgress } from './progress.ts';
import { ApiProblem, type ApiClient, type Body, type ResponseOf } from '../../api/contract/client.ts';
import type { SandboxApi } from './sandbox-api.ts';

/** Its tenants. The play uses the first; the other one is the newcomer's. */
export type TenantName = 'one' | 'two';
const BLUEPRINT = 'Test devices';
/** In the sandbox people sign in within seconds; looking sooner than in real life lets an admin watch devices turn green. */
const LOOKUP_SECONDS = [2, 4, 8, 15, 30, 60, 300, 900];

type Setup = ResponseOf<'get /api/setups/{id}'>;
type StepAnswer = Body<'post /api/setups/{id}/answers'>;

export interface Stage {
  readonly odette: ApiClient;
  readonly sandbox: SandboxApi;
  readonly addresses: SandboxAddresses;
  readonly progress: DemoProgress;
}

/** True when asking answered a problem of this code. */
const lacks = async (asking: Promise<unknown>, code: string): Promise<boolean> =>
  asking.then(
    () => false,
    (error: unknown) => {
      if (error instanceof ApiProblem && error.problem.code === code) return true;
      throw error;
    },
  );

export async function giveAppleCertificates({ odette, addresses, progress }: Stage): Promise<void> {
  const { pushCertificate, appsAndBooksToken } = addresses.files;
  if (await lacks(odette.call('get /api/push-certificate'), 'apns.certificate_missing')) {
    const pem = await readFile(pushCertificate, 'utf8');
    const { topic } = await odette.call('put /api/push-certificate', {
      body: { pem, accessRights: 'trust_only' },
    });
    progress.print(`push certificate set: ${topic}`);
  } else progress.print('push certificate: there already');
  if (await lacks(odette.call('get /api/apps-and-books'), 'apps_and_books.token_missing')) {
    const token = await readFile(appsAndBooksToken, 'utf8');
    const { organization, licenses } = await odette.call('put /api/apps-and-books', { body: { token } });
    progress.print(
      `Apps and Books token set: ${organization}, ${licenses?.available ?? 'unknown'} licenses of Okta Verify left`,
    );
  } else progress.print('Apps and Books token: there already');
}

/** Walks the wizard, or goes on with one that was interrupted. Returns the integration's id. */
export async function connectOkta(stage: Stage, tenant: TenantName = 'one'): Promise<string> {
  const { odette, sandbox, progress } = stage;
  const host = await sandbox.tenantHost(tenant);
  const { items } = await odette.call('get /api/integrations');
  const known = items.find((integration) => integration.host === host);
  if (known) {
    progress.print(`integration with ${host}: there already`);
    return known.id;
  }
  const open = (await odette.call('get /api/setups', { query: { status: 'open' } })).items;
  const begun = open.find(
    (setup) => !setup.amends && (setup.answers.domain === undefined || setup.tenant?.host === host),
  );
  let setup: Setup = begun ?? (await odette.call('post /api/setups', { body: {} }));
  while (setup.status === 'open') {
    const { step } = setup;
    setup = await answerStep(stage, setup, await answerFor(stage, { name: tenant, host }, setup));
    if (setup.status === 'open' && setup.step === step) throw new Error(`the wizard stays at ${step}`);
    progress.print(`wizard: ${step.replaceAll('_', ' ')}`);
  }
  if (setup.integrationId === undefined) throw new Error(`the setup ended as ${setup.status}`);
  return setup.integrationId;
}

/** What an admin would type; what only Okta knows is fetched from its console at the moment it is needed. */
async function answerFor(
  { odette, sandbox }: Stage,
  tenant: { readonly name: TenantName; readonly host: string },
  { step, prerequisites }: Setup,
): Promise<StepAnswer> {
  switch (step) {
    case 'okta_domain':
      return { step, domain: tenant.host };
    case 'credentials_kind':
      return { step, credentialsKind: 'api_service_integration' };
    case 'credentials':
      return { step, ...(await sandbox.installIntegration(tenant.name)) };
    case 'connect':
      return { step, confirmed: confirmable(prerequisites) };
    case 'platforms':
      return { step, platforms: ['macOS', 'iOS'] };
    case 'macos': {
      const { scepUrl, challengeUrl, username, password } = await sandbox.addMacPlatform(tenant.name);
      return { step, scepUrl, challengeUrl, username, password };
    }
    case 'ios': {
      const { addresses } = await odette.call('get /api/status');
      const link = addresses.enrollmentLink ?? 'https://localhost/enroll';
      const { secretKey } = await sandbox.addIosPlatform(tenant.name, 'Odette', link);
      return { step, secretKey, providerName: 'Odette' };
    }
    case 'get_started':
    case 'okta_tasks':
    case 'complete':
      return { step };
  }
}

const confirmable = (checks: Setup['prerequisites']): Setup['prerequisites'][number]['id'][] =>
  checks.filter((check) => check.result === 'not_checked' && check.canBeConfirmed).map((check) => check.id);

async function answerStep({ odette }: Stage, { id }: Setup, answer: StepAnswer): Promise<Setup> {
  const give = async (body: StepAnswer): Promise<Setup> => {
    const answered = await odette.call('post /api/setups/{id}/answers', { params: { id }, body });
    if (!('status' in answered)) throw new Error('the wizard named no end of a check');
    return answered;
  };
  let answered: Setup | undefined;
  try {
    answered = await give(answer);
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.problem.code !== 'setup.prerequisites_missing') throw error;
  }
  if (answer.step !== 'connect' || (answered && answered.step !== 'connect')) return answered ?? give(answer);
  // What Odette cannot check (Adaptive MFA) is for the admin to say, once the checks are there to be read.
  const setup = await odette.call('get /api/setups/{id}', { params: { id } });
  const failed = setup.prerequisites.filter((check) => check.result === 'failed');
  if (failed.length > 0)
    throw new Error(`prerequisites: ${failed.map((check) => `${check.id} ${check.detail}`).join('; ')}`);
  return give({ step: 'connect', confirmed: confirmable(setup.prerequisites) });
}

/** Blueprint and library item with Okta Device Trust on. Returns the blueprint's id. */
export async function assignOktaVerify({ odette, progress }: Stage, integrationId: string): Promise<string> {
  await odette.call('patch /api/integrations/{id}', {
    params: { id: integrationId },
    body: { settings: { trustLookupSeconds: LOOKUP_SECONDS } },
  });
  const blueprints = (await odette.call('get /api/blueprints')).items;
  const blueprint =
    blueprints.find((one) => one.name === BLUEPRINT) ??
    (await odette.call('post /api/blueprints', { body: { name: BLUEPRINT } }));
  const items = (await odette.call('get /api/library-items')).items;
  const item = items.find((one) => one.integrationId === integrationId);
  if (item?.deviceTrustOn) {
    progress.print('library item: there already, Okta Device Trust is on');
    return item.blueprints[0]?.id ?? blueprint.id;
  }
  await odette.call('post /api/library-items', {
    body: {
      integrationId,
      deviceTrustOn: true,
      confirmAppConfigurationOverride: true,
      blueprintIds: [blueprint.id],
    },
  });
  progress.print(`library item saved: Okta Device Trust on for blueprint “${BLUEPRINT}”`);
  return blueprint.id;
}
