// How long something takes, several times over, and a table's row of it.
import { performance } from 'node:perf_hooks';

export interface Measured {
  readonly times: readonly number[];
  readonly p50: number;
  readonly p95: number;
}

/** The first time is not counted: nothing is warm then. */
export async function measure(count: number, work: () => Promise<unknown>): Promise<Measured> {
  await work();
  const times: number[] = [];
  for (let time = 0; time < count; time += 1) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return { times, p50: quantile(times, 0.5), p95: quantile(times, 0.95) };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

export const row = (name: string, cells: readonly string[]): string =>
  `${name.padEnd(28)}${cells.map((cell) => cell.padStart(11)).join('')}`;
