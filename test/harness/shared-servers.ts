// Asks the run's global set-up for a shared server, which starts it at the first request.
import { inject } from 'vitest';

export async function sharedServer<T>(name: 'postgres' | 'temporal'): Promise<T> {
  const answer = await fetch(new URL(name, inject('sharedServers')));
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as T;
}
