// Groups become a role; what is not known to give one gives none.
import { expect, test } from 'vitest';
import { roleOf, type RoleRules } from './sign-in-roles.ts';

const rules: RoleRules = {
  viewer: ['Everyone', 'Help desk'],
  operator: ['Help desk'],
  admin: ['Mac admins'],
};

test('the highest role of all groups counts', () => {
  expect(roleOf(['Everyone'], rules)).toBe('viewer');
  expect(roleOf(['Everyone', 'Help desk'], rules)).toBe('operator');
  expect(roleOf(['Mac admins', 'Everyone'], rules)).toBe('admin');
});

test('one value instead of a list is a list of one', () => {
  expect(roleOf('Mac admins', rules)).toBe('admin');
});

test.each([
  ['no claim', undefined],
  ['an unknown group', ['Sales']],
  ['another spelling', ['mac admins', 'Mac admins ', 'MAC ADMINS']],
  ['nothing', []],
  ['what is no text', [{ name: 'Mac admins' }, 1, null, ['Mac admins']]],
])('%s gives no role', (_what, claim) => {
  expect(roleOf(claim, rules)).toBeUndefined();
});

test('an empty text is no group, even where a rule was left empty', () => {
  expect(roleOf([''], { viewer: [''], operator: [], admin: [] })).toBeUndefined();
});
