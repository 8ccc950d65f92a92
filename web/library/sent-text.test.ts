import { expect, test } from 'vitest';
import { sentText } from './sent-text.ts';

const none = { devices: 0, leaving: 0, unchanged: 0, byFamily: { Mac: 0, iPhone: 0, iPad: 0 } };

test('switching off says from how many devices Odette removes its payloads, never that it sends nothing', () => {
  expect(sentText({ ...none, leaving: 112 }, false)).toBe('Odette removes its payloads from 112 devices.');
});

test('a save that sends to some devices and removes from others says both', () => {
  const counts = { ...none, devices: 3, leaving: 1, byFamily: { Mac: 2, iPhone: 1, iPad: 0 } };
  expect(sentText(counts, true)).toBe(
    'Odette sends payloads to 3 devices (2 Macs, 1 iPhone). Odette removes its payloads from 1 device.',
  );
});

test('a save that changes no device says why', () => {
  expect(sentText({ ...none, unchanged: 2 }, true)).toBe(
    'Odette sends nothing new: 2 devices in scope already have everything.',
  );
  expect(sentText(none, true)).toContain('no devices yet');
  expect(sentText(none, false)).toBe('Odette sends nothing to any device.');
});
