// To how many devices saving the library item sends something, in words.
import { plural } from '../labels.ts';
import type { Preview } from './preview-query.ts';

export function sentText({ devices, unchanged, byFamily }: Preview, isOn: boolean): string {
  if (devices > 0) {
    const families = (['Mac', 'iPhone', 'iPad'] as const)
      .filter((family) => byFamily[family] > 0)
      .map((family) => plural(byFamily[family], family));
    return `Odette sends payloads to ${plural(devices, 'device')}${families.length > 0 ? ` (${families.join(', ')})` : ''}.`;
  }
  if (unchanged > 0)
    return `Odette sends nothing new: ${plural(unchanged, 'device')} in scope ${unchanged === 1 ? 'has' : 'have'} it already.`;
  return isOn
    ? 'These blueprints have no devices yet. Each device gets Okta Verify when it enrolls.'
    : 'Odette sends nothing to any device.';
}
