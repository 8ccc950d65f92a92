import { expect, test } from 'vitest';
import { channelsInUse, channelsToAdd, needsOfChannels, type ChannelFacts } from './channels-in-use.ts';

const facts = (given: Partial<ChannelFacts>): ChannelFacts => ({
  chosen: [],
  added: [],
  enrolled: [],
  hasEnrollmentCode: false,
  ...given,
});

test.each<[string, Partial<ChannelFacts>, readonly string[]]>([
  ['a new installation begins with its own server', {}, ['built_in']],
  ['the choice in the setup counts before there is a device', { chosen: ['fleet'] }, ['fleet']],
  ['who only observes uses none', { chosen: ['observe_only'] }, []],
  ['one tenant may observe beside another', { chosen: ['observe_only', 'built_in'] }, ['built_in']],
  ['a server that was added before any setup counts', { added: ['nanomdm'] }, ['nanomdm']],
  [
    'all devices are elsewhere, whatever the setup said',
    { chosen: ['built_in'], added: ['fleet'], enrolled: ['fleet'] },
    ['fleet'],
  ],
  [
    'one device of its own is enough',
    { chosen: ['fleet'], added: ['fleet'], enrolled: ['fleet', 'built_in'] },
    ['built_in', 'fleet'],
  ],
  [
    'a code invites a device',
    { added: ['fleet'], enrolled: ['fleet'], hasEnrollmentCode: true },
    ['built_in', 'fleet'],
  ],
])('%s', (_, given, used) => {
  expect(channelsInUse(facts(given))).toEqual(used);
});

test('only a channel by which devices enroll in Odette needs a push certificate, and only one that sends an app needs its licenses', () => {
  expect([...needsOfChannels(['built_in'])]).toEqual([
    'public_url',
    'tls',
    'push_certificate',
    'apps_and_books',
  ]);
  expect([...needsOfChannels(['nanomdm'])]).toEqual(['public_url', 'tls', 'apps_and_books']);
  expect([...needsOfChannels(['fleet'])]).toEqual(['apps_and_books']);
  expect([...needsOfChannels([])]).toEqual([]);
});

test('a server that the setup names is to be added until it is', () => {
  expect(channelsToAdd(facts({ chosen: ['fleet'] }))).toEqual(['fleet']);
  expect(channelsToAdd(facts({ chosen: ['fleet'], added: ['fleet'] }))).toEqual([]);
});
