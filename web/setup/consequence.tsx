// What a changed answer of an integration brings about, and on how many devices: said before it is saved.
import { Alert, Text } from '@mantine/core';
import { Loaded } from '../components/page.tsx';
import { useApiQuery, type ResponseOf } from '../queries.ts';
import { plural } from '../labels.ts';
import type { Answers, StepName } from './answers.ts';
import type { Draft } from './drafts.ts';
import { valuesOf } from './step-fields.tsx';

type Integration = ResponseOf<'getIntegration'>;
type Impact = ResponseOf<'getIntegrationImpact'>;

interface Change {
  readonly step: StepName;
  readonly answers: Answers;
  readonly draft: Draft;
}

export const useImpact = (integrationId: string) =>
  useApiQuery('getIntegrationImpact', { params: { id: integrationId } });

const macs = (count: number): string => plural(count, 'Mac');
const phones = (count: number): string => plural(count, 'iPhone or iPad', 'iPhones and iPads');
const comes = (count: number): string => (count === 1 ? 'comes' : 'come');

/** In the order in which they are read; empty: the step changes nothing for devices. */
export function consequencesOf(change: Change, integration: Integration, impact: Impact): string[] {
  const { step } = change;
  if (step === 'okta_domain') return [domainText(integration, impact)];
  if (step === 'credentials')
    return ['Odette checks the credentials with Okta first. It sends nothing to devices.'];
  if (step !== 'platforms' && step !== 'macos' && step !== 'ios') return [];
  const words = newPlatformText(change, integration, impact);
  if (step === 'macos' && integration.macOS)
    words.push(
      `Odette checks the SCEP URL and the challenge URL. It sends no certificate again: ${macs(impact.macOS)} in scope ` +
        `${impact.macOS === 1 ? 'keeps its own' : 'keep theirs'}, and the next renewal gets its certificate from there.`,
    );
  if (step === 'ios' && integration.iOS) words.push(keyText(change, integration, impact));
  return words;
}

function domainText({ macOS, iOS }: Integration, impact: Impact): string {
  const parts = [
    ...(macOS ? [`the settings and SSO profile of ${macs(impact.macOS)}`] : []),
    ...(iOS ? [`the managed app configuration and SSO profile of ${phones(impact.iOS)}`] : []),
  ];
  const devices = (macOS ? impact.macOS : 0) + (iOS ? impact.iOS : 0);
  const sent = parts.length > 0 ? `: ${parts.join(', ')}` : '';
  return `The domain must belong to the same tenant. If it changes, Odette pushes everything that contains the domain to ${plural(devices, 'device')} again${sent}.`;
}

function keyText({ answers, draft }: Change, { iOS }: Integration, impact: Impact): string {
  const isTyped = (draft['secretKey'] ?? '') !== '';
  const isNew = isTyped || answers.secretKey?.setAt !== iOS?.secretKey?.setAt;
  return isNew
    ? `Odette pushes the new key to ${phones(impact.iOS)}, in the managed app configuration and the SSO profile.`
    : `Without a new key, Odette pushes nothing to the ${phones(impact.iOS)} in scope: their payloads do not contain the provider’s name.`;
}

function newPlatformText({ step, answers, draft }: Change, integration: Integration, impact: Impact) {
  const chosen =
    step === 'platforms'
      ? (valuesOf(step, answers, draft)['platforms'] ?? '').split(' ')
      : (answers.platforms ?? []);
  const words: string[] = [];
  if (chosen.includes('macOS') && !integration.macOS)
    words.push(
      `${macs(impact.macOS)} ${comes(impact.macOS)} into scope when this setup is finished: Odette sends each a certificate, the settings, the SSO profile and Okta Verify.`,
    );
  if (chosen.includes('iOS') && !integration.iOS)
    words.push(
      `${phones(impact.iOS)} ${comes(impact.iOS)} into scope when this setup is finished: Odette sends each Okta Verify, its managed app configuration and the SSO profile.`,
    );
  return words;
}

/** In the wizard, while it changes an integration. */
export function Consequences({ integrationId, ...change }: Change & { integrationId: string }) {
  const impact = useImpact(integrationId);
  const integration = useApiQuery('getIntegration', { params: { id: integrationId } });
  return (
    <Loaded query={integration} lines={1}>
      {(known) => (
        <Loaded query={impact} lines={1}>
          {(counts) => {
            const words = consequencesOf(change, known, counts);
            if (words.length === 0) return null;
            return (
              <Alert color="blue" title="What this changes on devices">
                {words.map((text) => (
                  <Text size="sm" key={text}>
                    {text}
                  </Text>
                ))}
              </Alert>
            );
          }}
        </Loaded>
      )}
    </Loaded>
  );
}
