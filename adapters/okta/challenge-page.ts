// Reads the challenge out of the page that Okta's challenge URL responds: HTML in the style of Microsoft's NDES.

export type ChallengePage =
  | { readonly kind: 'challenge'; readonly challenge: string }
  /** NDES: "The password cache is full." Passes by itself. */
  | { readonly kind: 'cache_full' }
  | { readonly kind: 'unexpected'; readonly reason: string };

// White space and tags may stand before it; it ends before the next `<` or white space. The bounds keep the time of a hostile page linear.
const PLACE =
  /challenge password is:(?:\s|&nbsp;|&#160;|&#xa0;){0,64}(?:<[^>]{0,256}>(?:\s|&nbsp;|&#160;|&#xa0;){0,64}){0,16}([^<\s]{1,4096})/i;
// Okta's are 32 characters of base64url, NDES's upper-case hex. Nothing is cut out of anything else: half a challenge is a wrong one.
const CHALLENGE = /^[A-Za-z0-9_-]{8,256}$/;

export function readChallengePage(body: Buffer): ChallengePage {
  const text = decode(body);
  const found = PLACE.exec(text)?.[1];
  if (found === undefined)
    return /password cache is full/i.test(text)
      ? { kind: 'cache_full' }
      : { kind: 'unexpected', reason: 'no challenge on the page' };
  const [challenge = ''] = withoutEntities(found).trim().split(/\s/);
  return CHALLENGE.test(challenge)
    ? { kind: 'challenge', challenge }
    : { kind: 'unexpected', reason: 'what stands in place of the challenge cannot be one' };
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
};

/** Those that can stand for a character of a challenge, or for white space; another stays as it is, and is refused with its `&`. */
const withoutEntities = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]{2,6}));/gi, (whole, hex, decimal, name) => {
    if (typeof name === 'string') return NAMED[name.toLowerCase()] ?? whole;
    const point = typeof hex === 'string' ? parseInt(hex, 16) : Number(decimal);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });

/** NDES sends UTF-16 LE, often without a byte order mark; Okta UTF-8. */
function decode(body: Buffer): string {
  if (body.length >= 2 && body[0] === 0xfe && body[1] === 0xff) {
    return body
      .subarray(0, body.length & ~1)
      .swap16()
      .toString('utf16le', 2);
  }
  if (body.length >= 2 && body[0] === 0xff && body[1] === 0xfe) return body.toString('utf16le', 2);
  if (isUtf16WithoutMark(body)) return body.toString('utf16le');
  return body.toString('utf8');
}

function isUtf16WithoutMark(body: Buffer): boolean {
  const start = body.subarray(0, 100);
  if (start.length < 2) return false;
  const high = start.filter((_, index) => index % 2 === 1);
  return (
    (start[0] === 0x3c && start[1] === 0) || high.filter((byte) => byte === 0).length >= high.length * 0.9
  );
}
