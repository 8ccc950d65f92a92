// What this installation is: which parts answer, and what will break the whole fleet.
import type { Client } from '@temporalio/client';
import type { Sql } from '../../adapters/store/base/database.ts';
import {
  listHealth,
  listIntegrations,
  type IntegrationRow,
} from '../../adapters/store/integration/integrations.ts';
import { countCertificatesGone } from '../../adapters/store/fleet/certificates-gone.ts';
import { countRestored, countRefusedByTemporal, countStalled } from '../../adapters/store/base/audit.ts';
import { listHaltedReissues } from '../../adapters/store/rollout/automatic-reissues.ts';
import { listDeafTargets } from '../../adapters/store/notifications/targets.ts';
import { haltText } from '../../domain/automatic-reissue.ts';
import { plural } from '../../domain/plural.ts';
import type { FailureCode } from '../../domain/failures.ts';
import { replacedInOkta, type RotatedSecret } from '../../domain/secret-rotation.ts';
import type { TlsConnection } from '../../adapters/tls/connection-check.ts';
import { TASK_QUEUE } from '../../workflows/messages.ts';
import type { AdminDependencies } from './admin-dependencies.ts';
import { appleTroubles } from './apple-access.ts';
import { showFailure } from './failure-view.ts';
import { listCheckTroubles } from './integration-checks.ts';
import { stuckWorkflowsText } from './stuck-workflows.ts';
import { syncProblems } from './sync-problems.ts';

/** A worker polls anew every minute at least. */
const POLLED_WITHIN_MS = 75_000;
const PATIENCE_MS = 2_000;

export async function partsOf({
  database,
  temporal,
  temporalNamespace,
}: Pick<AdminDependencies, 'database' | 'temporal' | 'temporalNamespace'>) {
  const [isStored, worker] = await Promise.all([answers(database), workerState(temporal, temporalNamespace)]);
  return { database: isStored, ...worker };
}

export async function answers(sql: Sql): Promise<boolean> {
  return sql.query('select 1').then(
    () => true,
    () => false,
  );
}

async function workerState(
  temporal: Client,
  namespace: string,
): Promise<{ temporal: boolean; worker: boolean }> {
  try {
    const { pollers } = await temporal.withDeadline(Date.now() + PATIENCE_MS, () =>
      temporal.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: TASK_QUEUE },
        taskQueueType: 1,
      }),
    );
    const isPolled = pollers.some(({ lastAccessTime }) => {
      const seconds = Number(lastAccessTime?.seconds ?? 0);
      return Date.now() - seconds * 1_000 < POLLED_WITHIN_MS;
    });
    return { temporal: true, worker: isPolled };
  } catch {
    return { temporal: false, worker: false };
  }
}

/** A few devices lose theirs on any day: erased, repaired, cleaned up by their user. */
const MANY_CERTIFICATES = 10;

/** The secret whose rotation ends the alarm. */
type Rotation = {
  readonly integrationId: string;
  readonly host: string;
  readonly secret: RotatedSecret;
} | null;
interface Alarm {
  readonly failure: ReturnType<typeof showFailure>;
  readonly text: string;
  readonly since: Date | null;
  /** Which of several that share a code: it stays, while the numbers in the text change. */
  readonly about: string;
  readonly rotation: Rotation;
}

/** What will break the whole fleet. */
export async function alarmsOf(sql: Sql, publicUrl?: TlsConnection, temporal?: Client) {
  const alarms: Alarm[] = [];
  const alarm = (
    code: FailureCode,
    text: string,
    since: Date | null = null,
    about = '',
    rotation: Rotation = null,
  ) => alarms.push({ failure: showFailure(code), text, since, about, rotation });
  for (const { code, text, since } of await appleTroubles(sql, publicUrl)) alarm(code, text, since);
  const refused = await countRefusedByTemporal(sql);
  if (refused.count > 0)
    alarm(
      'temporal.unauthenticated',
      `Someone else can reach the Temporal server: in the last day, Odette refused ${plural(refused.count, 'message')} that it did not send.`,
      refused.since,
    );
  const restored = await countRestored(sql);
  if (restored.count > 0)
    alarm(
      'temporal.restored',
      `In the last day, someone paused, ended or replaced ${plural(restored.count, 'sweep or workflow', 'sweeps or workflows')} in Temporal; Odette restored them.`,
      restored.since,
    );
  const stuck = temporal && (await stuckWorkflowsText(temporal));
  if (stuck !== undefined) alarm('temporal.workflow_stuck', stuck);
  const stalled = await countStalled(sql);
  if (stalled.count > 0)
    alarm(
      'temporal.workflow_stuck',
      `The certificate workflows of ${plural(stalled.count, 'device')} did not start a renewal that is due; Odette signaled them again. If that does not help: temporal workflow describe -w certificate/${stalled.deviceId}.`,
      stalled.since,
    );
  const gone = await countCertificatesGone(sql);
  if (gone.devices >= MANY_CERTIFICATES)
    alarm(
      'certificate.gone_from_many',
      `${gone.devices} devices in scope lost their Okta certificates in the last day.`,
      gone.since,
    );
  for (const { text, since, integrationId } of await syncProblems(sql))
    alarm('okta.not_synced', text, since, integrationId);
  const integrations = await listIntegrations(sql);
  for (const halted of await listHaltedReissues(sql)) {
    const integration = integrations.find(({ id }) => id === halted.integrationId);
    const rotation = halted.platform === 'iOS' ? rotationOf(integration, 'ios_secret_key') : null;
    alarm(
      'okta.many_lost_trust',
      `${integration?.name ?? ''}: ${haltText(halted)}`,
      halted.haltedAt,
      halted.integrationId,
      rotation,
    );
  }
  for (const integration of integrations)
    for (const { connection, failureCode, at } of await listHealth(sql, integration.id))
      if (failureCode !== null && LASTING.has(failureCode))
        alarm(
          failureCode,
          `${integration.name}: ${connection} rejects Odette.`,
          at,
          `${integration.id}:${connection}`,
          rotationOf(integration, replacedInOkta(failureCode)),
        );
  for (const { code, text, since, integrationId } of await listCheckTroubles(sql, integrations))
    if (!alarms.some(({ failure }) => failure.code === code && code !== 'setup.prerequisites_missing'))
      alarm(code, text, since, integrationId);
  return [...alarms, ...(await deafTargetAlarms(sql))];
}

const deafTargetAlarms = async (sql: Sql): Promise<Alarm[]> =>
  (await listDeafTargets(sql)).map(({ id, name, since }) => ({
    failure: showFailure('notify.not_delivered'),
    text: `${name}: notifications do not arrive.`,
    since,
    about: id,
    rotation: null,
  }));

const rotationOf = (integration: IntegrationRow | undefined, secret: RotatedSecret | null): Rotation =>
  integration === undefined || secret === null
    ? null
    : { integrationId: integration.id, host: integration.oktaHost, secret };

const LASTING = new Set<FailureCode>([
  'okta.client_id_unknown',
  'okta.client_secret_wrong',
  'okta.client_refused',
  'okta.key_required',
  'okta.key_refused',
  'okta.wrong_app_type',
  'okta.dpop_refused',
  'okta.network_zone',
  'okta.token_invalid',
  'okta.scope_not_granted',
  'okta.access_denied',
  'okta.challenge_credentials_refused',
  'okta.challenge_denied',
  'okta.challenge_url_gone',
  'okta.challenge_unexpected_page',
  'okta.scep_unexpected_response',
  'apps_and_books.token_refused',
]);
