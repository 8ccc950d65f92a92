// The part of the to-do list that needs an admin or operator, as notifications tell it.
import type { Sql } from '../../adapters/store/base/database.ts';
import { readTotals } from '../../adapters/store/fleet/fleet-totals.ts';
import type { Need } from '../../domain/notification-plan.ts';
import { stepsOf } from './next-steps.ts';
import type { alarmsOf } from './status.ts';

type Step = Awaited<ReturnType<typeof stepsOf>>[number];

/** @param silent parts that do not answer, e.g. Temporal */
export async function needsYou(
  sql: Sql,
  alarms: Awaited<ReturnType<typeof alarmsOf>>,
  silent: readonly string[] = [],
): Promise<Need[]> {
  const { all } = await readTotals(sql);
  const steps = await stepsOf(sql, alarms, all.buckets);
  const needs = [
    ...silent.map((part) => ({
      key: `part:${part}`,
      text: `No response from ${part}. Rollouts continue when it is back.`,
      devices: null,
      path: '/',
    })),
    // Whoever is in the middle of a setup knows it.
    ...steps
      .filter(({ owner, setupId }) => owner === 'you' && setupId === null)
      .map((step) => ({ key: step.id, text: step.text, devices: step.devices, path: pathOf(step) })),
  ];
  const byKey = new Map<string, Need>();
  for (const need of needs) {
    const same = byKey.get(need.key);
    byKey.set(need.key, same === undefined ? need : { ...same, text: `${same.text} ${need.text}` });
  }
  return [...byKey.values()];
}

function pathOf({ place, filter }: Step): string {
  if (filter === null) return `/${place}`;
  const { bucket, failureCode, obstacle } = filter;
  const search = new URLSearchParams({
    bucket,
    ...(failureCode !== null && { failure: failureCode }),
    ...(obstacle !== null && { obstacle }),
  });
  return `/devices?${search.toString()}`;
}
