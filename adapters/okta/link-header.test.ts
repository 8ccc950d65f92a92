// The next page of a list, and nothing else, is taken from Link headers.
import { describe, expect, it } from 'vitest';
import { nextPage } from './link-header.ts';

const DEVICES = '/api/v1/devices';
const link = (rel: string, after: string) =>
  `<https://acme.okta.com${DEVICES}?after=${after}&limit=2>; rel="${rel}"`;

describe('the next page', () => {
  it.each([
    ['one header', `${link('self', 'a')}, ${link('next', 'b')}`],
    ['two headers', [link('self', 'a'), link('next', 'b')]],
    ['the other order and no quotes', `<${DEVICES}?after=b&limit=2>;rel=next, ${link('self', 'a')}`],
  ])('is found in %s', (_, header) => {
    expect(nextPage(header, DEVICES)).toBe('b');
  });

  it.each([
    ['no header', undefined],
    ['no next', link('self', 'a')],
    ['a link to another resource', '<https://acme.okta.com/api/v1/users?after=b>; rel="next"'],
    ['a link without a cursor', `<https://acme.okta.com${DEVICES}?limit=2>; rel="next"`],
    ['an unreadable link', '<https://[>; rel="next"'],
  ])('is not there with %s', (_, header) => {
    expect(nextPage(header, DEVICES)).toBeUndefined();
  });

  it('is asked of the tenant itself, whatever host the link names', () => {
    expect(nextPage(`<https://elsewhere.example${DEVICES}?after=b>; rel="next"`, DEVICES)).toBe('b');
  });
});
