// The run's one Temporal server: real, in memory, with time skipping allowed (a workflow skips only when it is told to) and
// Odette's search attributes registered. Every test file uses task queues and workflow ids of its own.
import type { SharedTemporal } from './global-setup.ts';
import { sharedServer } from './shared-servers.ts';

/** `host:port`; the namespace is `default`. Started at the first call of the run. */
export async function temporalAddress(): Promise<string> {
  const { address } = await sharedServer<SharedTemporal>('temporal');
  return address;
}
