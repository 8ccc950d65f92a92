// A setup as the console sees it: steps, answers without secrets, what to do in Okta.
import type { z } from 'zod';
import type { Sql } from '../../adapters/store/base/database.ts';
import { listSecretFacts, type SecretFacts } from '../../adapters/store/base/secrets.ts';
import type { SetupRow } from '../../adapters/store/integration/setups.ts';
import { canBeConfirmed, PREREQUISITE_TEXTS } from '../../domain/prerequisite-text.ts';
import { guideOf, titleOf } from '../../domain/setup-guide.ts';
import {
  answerTo,
  channelOf,
  stepsOf,
  type PrerequisiteCheck,
  type SetupState,
} from '../../domain/setup-wizard.ts';
import type { PrerequisiteCheck as ShownCheck, Setup } from '../contract/setups.ts';

const PROVIDER_NAME = 'Odette';

export const secretSet = (facts: SecretFacts | undefined) =>
  facts ? { setAt: facts.setAt, setBy: nameOf(facts.setBy), lastUsedAt: facts.lastUsedAt } : undefined;

/** person:NAME is shown as NAME. */
export const nameOf = (actor: string): string => actor.replace(/^(person|token):/, '');

/** Null while nobody has said how devices reach Odette. */
export const enrollmentLinkOf = (publicUrl: string | undefined): string | null =>
  publicUrl === undefined ? null : `${publicUrl}/enroll`;

export const showCheck = (check: PrerequisiteCheck): z.input<typeof ShownCheck> => ({
  ...check,
  ...PREREQUISITE_TEXTS[check.id],
  canBeConfirmed: canBeConfirmed(check),
});

export async function showSetups(
  sql: Sql,
  rows: readonly SetupRow[],
  publicUrl: string | undefined,
): Promise<z.input<typeof Setup>[]> {
  const handles = rows.flatMap(({ state }) => secretIdsOf(state));
  const facts = handles.length === 0 ? new Map<string, SecretFacts>() : await listSecretFacts(sql, handles);
  return rows.map((row) => showSetup(row, facts, publicUrl));
}

function secretIdsOf(state: SetupState): string[] {
  const answers = [answerTo(state, 'credentials'), answerTo(state, 'macos'), answerTo(state, 'ios')];
  const key = answerTo(state, 'credentials_kind')?.secretId;
  return [...answers.map((answer) => answer?.secretId), key].filter((id) => id !== undefined);
}

function showSetup(
  row: SetupRow,
  facts: Map<string, SecretFacts>,
  publicUrl: string | undefined,
): z.input<typeof Setup> {
  const { state } = row;
  const install = answerTo(state, 'credentials_kind');
  const credentials = answerTo(state, 'credentials');
  const macos = answerTo(state, 'macos');
  const ios = answerTo(state, 'ios');
  const secret = (id: string | undefined) => (id === undefined ? undefined : secretSet(facts.get(id)));
  const guide = guideOf(state.step, state, {
    enrollmentLink: enrollmentLinkOf(publicUrl),
    providerName: PROVIDER_NAME,
  });
  return {
    id: row.id,
    status: state.status,
    step: state.step,
    steps: stepsOf(state).map((step) => ({
      step,
      title: titleOf(step, state),
      answered: state.answers[step] !== undefined,
    })),
    checking: state.checking,
    answers: {
      channel: answerTo(state, 'get_started') && channelOf(state),
      domain: answerTo(state, 'okta_domain')?.domain,
      credentialsKind: install?.credentialsKind,
      clientId: credentials?.clientId,
      clientSecret:
        install?.credentialsKind === 'api_services_app' ? undefined : secret(credentials?.secretId),
      publicJwk: install?.publicJwk ? { ...install.publicJwk } : undefined,
      platforms: answerTo(state, 'platforms')?.platforms.slice(),
      scepUrl: macos?.scepUrl,
      challengeUrl: macos?.challengeUrl,
      username: macos?.username,
      password: secret(macos?.secretId),
      secretKey: secret(ios?.secretId),
      providerName: ios?.providerName,
    },
    tenant: state.tenant,
    prerequisites: state.prerequisites.map(showCheck),
    guide: { ...guide, tasks: [...guide.tasks], shownOnce: [...guide.shownOnce] },
    integrationId: state.integrationId,
    amends: state.amends,
    startedBy: nameOf(row.startedBy),
    startedAt: row.startedAt,
    changedAt: row.changedAt,
    finishedAt: row.finishedAt,
  };
}
