// The challenge page in every form that was seen in the field.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChallengePage } from './challenge-page.ts';

const CHALLENGE = 'aB3_-xyzaB3_-xyzaB3_-xyzaB3_-xyz';
const page = (challenge: string): string =>
  `<HTML><Body><P>The enrollment challenge password is: <B> ${challenge} </B></P></Body></HTML>`;
const bigEndian = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

describe('the challenge page', () => {
  it.each([
    ['UTF-8', Buffer.from(page(CHALLENGE))],
    [
      'UTF-16 LE with its mark',
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(page(CHALLENGE), 'utf16le')]),
    ],
    ['UTF-16 LE without a mark', Buffer.from(page(CHALLENGE), 'utf16le')],
    ['UTF-16 BE with its mark', Buffer.concat([Buffer.from([0xfe, 0xff]), bigEndian(page(CHALLENGE))])],
    ['other tags', Buffer.from(`challenge password is:\n<b><font size="2">\n${CHALLENGE}</font></b>`)],
    ['no tags', Buffer.from(`The enrollment CHALLENGE PASSWORD is: ${CHALLENGE}`)],
  ])('gives its challenge: %s', (_, body) => {
    expect(readChallengePage(body)).toEqual({ kind: 'challenge', challenge: CHALLENGE });
  });

  it('gives any challenge of base64url back as it was', () => {
    const challenges = fc.stringMatching(/^[A-Za-z0-9_-]{8,64}$/);
    fc.assert(
      fc.property(challenges, fc.constantFrom('utf8' as const, 'utf16le' as const), (challenge, encoding) => {
        const read = readChallengePage(Buffer.from(page(challenge), encoding));
        expect(read).toEqual({ kind: 'challenge', challenge });
      }),
    );
  });

  it('tells a full password cache from a page of somebody else', () => {
    expect(readChallengePage(Buffer.from('<P>The password cache is full.</P>'))).toEqual({
      kind: 'cache_full',
    });
    expect(readChallengePage(Buffer.from('<html>Sign In</html>'))).toEqual({ kind: 'unexpected' });
    expect(readChallengePage(Buffer.alloc(0))).toEqual({ kind: 'unexpected' });
  });

  it('takes no time over a page made to take time', () => {
    const hostile = Buffer.from('challenge password is: <'.repeat(2700));
    const started = performance.now();
    expect(readChallengePage(hostile)).toEqual({ kind: 'unexpected' });
    expect(performance.now() - started).toBeLessThan(200);
  });
});
