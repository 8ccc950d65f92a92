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
    ['windows-1252, as another reader decodes it', Buffer.from(`${page(CHALLENGE)}\xa0\x80`, 'latin1')],
    ['no tags', Buffer.from(`The enrollment CHALLENGE PASSWORD is: ${CHALLENGE}`)],
  ])('gives its challenge: %s', (_, body) => {
    expect(readChallengePage(body)).toEqual({ kind: 'challenge', challenge: CHALLENGE });
  });

  it.each([
    ['an entity inside it', 'ABCD&#69;FGH-IJ&#x4b;L', 'ABCDEFGH-IJKL'],
    ['a space that does not break before it', '&nbsp;&#160;ABCDEFGHIJKL', 'ABCDEFGHIJKL'],
    ['one behind it', 'ABCDEFGHIJKL&nbsp;', 'ABCDEFGHIJKL'],
  ])('decodes entities: %s', (_, written, challenge) => {
    expect(readChallengePage(Buffer.from(page(written)))).toEqual({ kind: 'challenge', challenge });
  });

  it.each([
    ['base64 with its padding', 'ABCDEFGHIJ+KLMN/OPQR=='],
    ['300 characters', 'a'.repeat(300)],
    ['10,000 characters', 'a'.repeat(10_000)],
    ['a dot', 'ABCD-EFGH.IJKL'],
    ['an entity for a sign that no challenge has', 'ABCDEFGH&#43;IJKL'],
    ['an entity that nobody knows', 'ABCDEFGH&wbr;IJKL'],
    ['a number beyond Unicode', 'ABCDEFGH&#x110000;IJKL'],
    ['a sentence', 'unavailable, contact your administrator'],
    ['seven characters', 'ABCDEFG'],
  ])('never cuts a challenge out of something else: %s', (_, written) => {
    const read = readChallengePage(Buffer.from(page(written)));
    expect(read.kind).toBe('unexpected');
    expect(JSON.stringify(read)).not.toContain(written.slice(0, 7));
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

  it.each([
    ['16 upper-case hex, of Microsoft NDES', '0123456789ABCDEF'],
    ['32 upper-case hex', '0123456789ABCDEF0123456789ABCDEF'],
    ['32 of base64url with - and _', CHALLENGE],
    ['beginning with _', `_${CHALLENGE.slice(1)}`],
  ])('knows every alphabet of the field: %s', (_, challenge) => {
    expect(readChallengePage(Buffer.from(page(challenge)))).toEqual({ kind: 'challenge', challenge });
  });

  it('tells a full password cache from a page of somebody else', () => {
    expect(readChallengePage(Buffer.from('<P>The password cache is full.</P>'))).toEqual({
      kind: 'cache_full',
    });
    const neither = { kind: 'unexpected', reason: 'no challenge on the page' };
    expect(readChallengePage(Buffer.from('<html>Sign In</html>'))).toEqual(neither);
    expect(readChallengePage(Buffer.alloc(0))).toEqual(neither);
  });

  it('takes no time over a page made to take time', () => {
    for (const piece of [
      'challenge password is: <',
      'challenge password is:&nbsp;',
      'challenge password is: <b>&nbsp;&',
    ]) {
      const hostile = Buffer.from(piece.repeat(65_536 / piece.length));
      const started = performance.now();
      readChallengePage(hostile);
      expect(performance.now() - started).toBeLessThan(200);
    }
  });
});
