// What the device list can be filtered by, and what each choice is called.
import { CHANNEL_WORDS } from '../../domain/channel-words.ts';
import { DEVICE_FAMILIES } from '../../domain/device.ts';
import { BUCKET_LABELS, PHASE_LABELS, PLATFORM_LABELS, TRUTH_LABELS } from '../labels.ts';
import { useApiQuery } from '../queries.ts';
import type { DeviceSearch } from './device-search.ts';

interface Choice {
  readonly value: string;
  readonly label: string;
}
export interface FilterField {
  readonly name: Exclude<keyof DeviceSearch, 'search' | 'sort' | 'order' | 'after'>;
  readonly label: string;
  readonly choices: readonly Choice[];
  /** It comes from links alone. */
  readonly isLinkedOnly?: true;
}

const entries = (words: Readonly<Record<string, string>>): Choice[] =>
  Object.entries(words).map(([value, label]) => ({ value, label }));

const DAYS = {
  14: 'within 14 days',
  30: 'within 30 days',
  60: 'within 60 days',
  120: 'within 120 days',
};

export function useFilterFields({ integration }: DeviceSearch): readonly FilterField[] {
  const blueprints = useApiQuery('listBlueprints', {});
  const channels = useApiQuery('listChannels', {});
  const failures = useApiQuery('listFailures', {});
  const integrations = useApiQuery('listIntegrations', {}, { enabled: integration !== undefined });
  return [
    {
      name: 'bucket',
      label: 'State',
      choices: Object.entries(BUCKET_LABELS).map(([value, { label }]) => ({ value, label })),
    },
    { name: 'platform', label: 'Platform', choices: entries(PLATFORM_LABELS) },
    {
      name: 'family',
      label: 'Family',
      choices: DEVICE_FAMILIES.map((family) => ({ value: family, label: family })),
    },
    {
      name: 'blueprint',
      label: 'Blueprint',
      choices: (blueprints.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
    },
    {
      name: 'channel',
      label: 'Channel',
      choices: [
        { value: 'built_in', label: CHANNEL_WORDS.built_in.name },
        ...(channels.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
      ],
    },
    { name: 'phase', label: 'Rollout phase', choices: entries(PHASE_LABELS) },
    { name: 'lacks', label: 'Missing truth', choices: entries(TRUTH_LABELS) },
    {
      name: 'failure',
      label: 'Failure',
      choices: (failures.data?.items ?? []).map(({ failure }) => ({
        value: failure.code,
        label: failure.title,
      })),
    },
    { name: 'days', label: 'Certificate expires', choices: entries(DAYS) },
    {
      name: 'integration',
      label: 'Integration',
      choices: (integrations.data?.items ?? []).map(({ id, host }) => ({ value: id, label: host })),
      isLinkedOnly: true,
    },
    { name: 'obstacle', label: 'Obstacle', choices: [], isLinkedOnly: true },
  ];
}

/** What is chosen, in words; a value that came with the address and is not among the choices, as it is. */
export function chosenText({ name, choices }: FilterField, search: DeviceSearch): string | undefined {
  const chosen = search[name];
  if (chosen === undefined) return undefined;
  return String(chosen)
    .split('~')
    .map((value) => choices.find((choice) => choice.value === value)?.label ?? wordsOf(name, value))
    .join(', ');
}

const wordsOf = (name: FilterField['name'], value: string): string =>
  name === 'days' ? `within ${value} days` : value.replaceAll('_', ' ');
