// To how many devices saving the library item sends something, in words.
import { plural } from '../labels.ts';
import type { Preview } from './preview-query.ts';

export function sentText({ devices, unchanged, byFamily }: Preview, isOn: boolean): string {
  if (devices > 0) {
    const families = (['Mac', 'iPhone', 'iPad'] as const)
      .filter((family) => byFamily[family] > 0)
      .map((family) => plural(byFamily[family], family));
    return `Something is sent to ${plural(devices, 'device')}${families.length > 0 ? ` (${families.join(', ')})` : ''}.`;
  }
  if (unchanged > 0)
    return `Nothing new is sent: ${plural(unchanged, 'device')} in scope ${unchanged === 1 ? 'has' : 'have'} it already.`;
  return isOn
    ? 'No device is in these blueprints yet: each gets Okta Verify when it enrolls.'
    : 'Nothing is sent to any device.';
}
