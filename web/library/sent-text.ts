// To how many devices saving the library item sends or removes something, as sentences.
import { plural } from '../labels.ts';
import type { Preview } from './preview-query.ts';

type Counts = Pick<Preview, 'devices' | 'leaving' | 'unchanged' | 'byFamily'>;

export function sentText({ devices, leaving, unchanged, byFamily }: Counts, isOn: boolean): string {
  const sentences: string[] = [];
  if (devices > 0) {
    const families = (['Mac', 'iPhone', 'iPad'] as const)
      .filter((family) => byFamily[family] > 0)
      .map((family) => plural(byFamily[family], family));
    const named = families.length > 0 ? ` (${families.join(', ')})` : '';
    sentences.push(`Odette sends payloads to ${plural(devices, 'device')}${named}.`);
  }
  if (leaving > 0) sentences.push(`Odette removes its payloads from ${plural(leaving, 'device')}.`);
  if (sentences.length > 0) return sentences.join(' ');
  if (unchanged > 0)
    return `Odette sends nothing new: ${plural(unchanged, 'device')} in scope already ${unchanged === 1 ? 'has' : 'have'} everything.`;
  return isOn
    ? 'These blueprints have no devices yet. Each device gets Okta Verify when it enrolls.'
    : 'Odette sends nothing to any device.';
}
