import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { CHANNEL_WORDS, deviceLimits } from './channel-words.ts';

test('docs/channels.md says the same of each channel as the console and the command line', async () => {
  const doc = await readFile(new URL('../docs/channels.md', import.meta.url), 'utf8');
  const rows = doc
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  for (const [kind, { name, can, cannot }] of Object.entries(CHANNEL_WORDS))
    expect(rows).toContainEqual(['', `${name} (\`${kind}\`)`, can, cannot, '']);
});

test('each channel is described in one sentence for what it can and one for what it cannot', () => {
  for (const { can, cannot } of Object.values(CHANNEL_WORDS))
    for (const sentence of [can, cannot]) expect(sentence.match(/[.!?](\s|$)/g)).toHaveLength(1);
});

test('what a device lacks depends on its channel and platform', () => {
  expect(deviceLimits('built_in', "Odette's own server", 'macOS')).toBeNull();
  expect(deviceLimits('fleet', 'Fleet', 'macOS')).toBe(
    "Through Fleet, Odette cannot put a certificate in the user's login keychain or withdraw a command that the device has not received yet; Fleet enrolls the device and renews its MDM identity.",
  );
  expect(deviceLimits('nanomdm', 'Nano', 'iOS')).not.toContain('keychain');
});
