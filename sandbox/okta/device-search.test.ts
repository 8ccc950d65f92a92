// What a pretend tenant's search finds by the time of the last change.
import { describe, expect, it } from 'vitest';
import { readSearch } from './device-search.ts';
import type { DeviceRecord } from './tenant-state.ts';

const changedAt = (lastUpdated: string) => ({ lastUpdated }) as DeviceRecord;

describe('lastUpdated', () => {
  it('is compared as a moment, however it is written', () => {
    const since = readSearch('lastUpdated gt "2026-11-28T08:00:00Z"');
    expect(since?.(changedAt('2026-11-28T08:00:00.001Z'))).toBe(true);
    expect(since?.(changedAt('2026-11-28T08:00:00.000Z'))).toBe(false);
    expect(since?.(changedAt('2026-11-27T23:59:59.000Z'))).toBe(false);
  });

  it('takes no filter that is not of a time', () => {
    expect(readSearch('lastUpdated gt "yesterday"')).toBeUndefined();
    expect(readSearch('lastUpdated co "2026"')).toBeUndefined();
  });
});
