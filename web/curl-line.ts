// The curl line that does what a dialog does. Address and token come from the caller's shell, secrets are left as dots.
import { addressOf, type Given } from './client.ts';
import { OPERATIONS, type ConsoleOperation } from './operations.ts';

export function curlLine<Id extends ConsoleOperation>(id: Id, given: Given<Id>): string {
  const [method = 'get'] = OPERATIONS[id].split(' ');
  const words = ['curl', `"$ODETTE_URL${addressOf(id, given)}"`, '-H "Authorization: Bearer $ODETTE_TOKEN"'];
  if (method !== 'get') words.splice(1, 0, `-X ${method.toUpperCase()}`);
  if (given.body !== undefined)
    words.push('-H "Content-Type: application/json"', `-d '${quoted(JSON.stringify(given.body))}'`);
  return words.join(' ');
}

/** In single quotes of a POSIX shell. */
const quoted = (text: string): string => text.replaceAll("'", String.raw`'\''`);
