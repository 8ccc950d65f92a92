// Each thing that Okta can say of a device: what it means, who acts, and what Odette may do by itself.
import { describe, expect, test } from 'vitest';
import {
  asksForCertificate,
  findingOf,
  forbidsCertificates,
  type FindingFacts,
  type OktaFacts,
} from './okta-finding.ts';

const okta = (changes: Partial<OktaFacts> = {}): OktaFacts => ({
  match: 'serial_number',
  status: 'ACTIVE',
  registered: true,
  users: [{ login: 'ada@acme.com', managementStatus: 'MANAGED' }],
  lastUpdatedAtMs: 0,
  ...changes,
});
const facts: FindingFacts = { platform: 'macOS', okta: okta(), userName: null, countsAnyUser: false };
const notManaged = [{ login: 'ada@acme.com', managementStatus: 'NOT_MANAGED' }];

describe('what Okta said', () => {
  test.each<[string, Partial<FindingFacts>, string, string, string]>([
    ['MANAGED for whoever', {}, 'managed', 'nobody', 'MANAGED for ada@acme.com'],
    [
      'MANAGED for the user that Odette expects',
      { userName: 'ADA@acme.com' },
      'managed',
      'nobody',
      'ada@acme.com',
    ],
    [
      'MANAGED for another user than the expected one',
      {
        userName: 'erin.smith@acme.com',
        okta: okta({ users: [{ login: 'esmith@acme.com', managementStatus: 'MANAGED' }] }),
      },
      'managed_for_other',
      'admin',
      'MANAGED for esmith@acme.com; Odette expects erin.smith@acme.com',
    ],
    [
      'MANAGED for another user, and any user counts',
      { userName: 'erin@acme.com', countsAnyUser: true },
      'managed',
      'nobody',
      'MANAGED for ada@acme.com',
    ],
    ['NOT_MANAGED', { okta: okta({ users: notManaged }) }, 'not_managed', 'user', 'Okta says NOT_MANAGED'],
    [
      'NOT_MANAGED, of which the cause cannot be known',
      { okta: okta({ users: notManaged }) },
      'not_managed',
      'user',
      'gives no reason',
    ],
    ['no user', { okta: okta({ users: [] }) }, 'not_managed', 'user', 'Okta lists no user'],
    ['SUSPENDED', { okta: okta({ status: 'SUSPENDED' }) }, 'suspended', 'okta_admin', 'Okta says SUSPENDED'],
    [
      'DEACTIVATED',
      { okta: okta({ status: 'DEACTIVATED' }) },
      'deactivated',
      'okta_admin',
      'lost or compromised',
    ],
    [
      'UNSUSPENDED',
      { okta: okta({ status: 'UNSUSPENDED' }) },
      'managed',
      'nobody',
      'MANAGED for ada@acme.com',
    ],
    ['CREATED', { okta: okta({ status: 'CREATED' }) }, 'not_registered', 'user', 'Okta says CREATED'],
    ['not registered', { okta: okta({ registered: false }) }, 'not_registered', 'user', 'not registered'],
    ['nothing', { okta: null }, 'no_record', 'user', 'no record'],
    [
      'several alike',
      { okta: okta({ match: 'ambiguous' }) },
      'records_alike',
      'admin',
      'Several records in Okta match',
    ],
    [
      'an iPhone without a user',
      { platform: 'iOS', okta: null },
      'user_unknown',
      'admin',
      'does not know the user',
    ],
  ])('%s', (_said, changes, kind, owner, words) => {
    const finding = findingOf({ ...facts, ...changes });
    expect(finding).toMatchObject({ kind, owner });
    expect(finding.evidence).toContain(words);
    expect(finding.remedy === null).toBe(owner === 'nobody');
  });

  test('only active and not managed, or a record that is gone, asks for a certificate', () => {
    const asks = (changes: Partial<OktaFacts> | null) => {
      const said = changes === null ? null : okta(changes);
      return asksForCertificate(findingOf({ ...facts, okta: said }), said?.match ?? null);
    };
    expect(asks({ users: notManaged })).toBe(true);
    expect(asks(null)).toBe(true);
    expect(asks({ users: notManaged, match: 'likely' })).toBe(false);
    for (const status of ['SUSPENDED', 'DEACTIVATED', 'CREATED']) expect(asks({ status })).toBe(false);
    expect(asks({})).toBe(false);
  });

  test('a suspended or deactivated device gets no certificate; one that Okta does not know yet does', () => {
    expect(['SUSPENDED', 'DEACTIVATED'].map(forbidsCertificates)).toEqual([true, true]);
    expect(['ACTIVE', 'UNSUSPENDED', null].map(forbidsCertificates)).toEqual([false, false, false]);
  });
});
