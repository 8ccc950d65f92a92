import { expect, test } from 'vitest';
import { commandUuid, payloadUuid, revisionOf, uuidFromName, type CommandName } from './command-uuid.ts';

const name: CommandName = {
  workflowId: 'rollout/d1',
  firstRunId: 'r1',
  step: 'rollout.ProfileList',
  revision: 'e1',
  attempt: 1,
};

test('a name gives one UUID, of version 5 and the RFC variant', () => {
  expect(commandUuid(name)).toBe(commandUuid({ ...name }));
  expect(commandUuid(name)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('every part of the name counts', () => {
  const others = [
    { ...name, workflowId: 'rollout/d2' },
    { ...name, firstRunId: 'r2' },
    { ...name, step: 'rollout.CertificateList' },
    { ...name, revision: 'e2' },
    { ...name, attempt: 2 },
  ];
  expect(new Set([name, ...others].map(commandUuid)).size).toBe(6);
});

test('a payload UUID changes with the revision', () => {
  expect(payloadUuid('odette.i.d.sso', revisionOf('{"a":1}'))).not.toBe(
    payloadUuid('odette.i.d.sso', revisionOf('{"a":2}')),
  );
  expect(uuidFromName('a')).not.toBe(uuidFromName('b'));
});
