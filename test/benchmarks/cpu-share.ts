// Gives a process no more than a share of one core: a control group of the kernel's (version 1 or 2), which takes root to make. Linux only.
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const PERIOD_US = 20_000;
const VERSION_1 = '/sys/fs/cgroup/cpu';
const VERSION_2 = '/sys/fs/cgroup';

export class CpuShare {
  readonly #folder: string;

  /** @throws Error where this machine has no such groups, or may make none */
  constructor(name: string, cores: number) {
    const quota = Math.round(cores * PERIOD_US);
    const isFirst = existsSync(path.join(VERSION_1, 'cpu.cfs_quota_us'));
    this.#folder = path.join(isFirst ? VERSION_1 : VERSION_2, `odette-bench-${process.pid}-${name}`);
    mkdirSync(this.#folder);
    if (isFirst) {
      writeFileSync(path.join(this.#folder, 'cpu.cfs_period_us'), String(PERIOD_US));
      writeFileSync(path.join(this.#folder, 'cpu.cfs_quota_us'), String(quota));
    } else writeFileSync(path.join(this.#folder, 'cpu.max'), `${quota} ${PERIOD_US}`);
  }

  /** All of its threads; those it starts later, too. */
  hold(pid: number): void {
    writeFileSync(path.join(this.#folder, 'cgroup.procs'), String(pid));
  }

  /** Once the process has ended. */
  remove(): void {
    rmdirSync(this.#folder);
  }
}
