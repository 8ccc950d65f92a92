// Asks the run's global set-up for a shared server, which starts it at the first request.
import { inject } from 'vitest';

export async function sharedServer<T>(name: 'postgres' | 'temporal'): Promise<T> {
  const response = await fetch(new URL(name, inject('sharedServers')));
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}
