// What processes have used so far, read from /proc: CPU time with that of their children, and peak memory. Linux only.
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

export interface Cost {
  readonly cpuMs: number;
  readonly peakMemoryMb: number;
}

/** PostgreSQL serves each connection by a process of its own: children count. */
export function costOf(pid: number): Cost {
  let cpuTicks = 0;
  let peakKb = 0;
  for (const one of [pid, ...childrenOf(pid)]) {
    const fields = read(`/proc/${one}/stat`)
      ?.replace(/^.*\) /, '')
      .split(' ');
    if (fields === undefined) continue;
    cpuTicks += [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
    // Shared pages would be counted once for each child.
    if (one === pid) peakKb = Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${one}/status`) ?? '')?.[1] ?? 0);
  }
  return { cpuMs: (cpuTicks / TICKS_PER_SECOND) * 1000, peakMemoryMb: Math.round(peakKb / 1024) };
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => {
      const fields = read(`/proc/${other}/stat`)
        ?.replace(/^.*\) /, '')
        .split(' ');
      return Number(fields?.[1]) === pid;
    });
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
