// Reads the challenge out of the page that Okta's challenge URL responds: HTML in the style of Microsoft's NDES.

export type ChallengePage =
  | { readonly kind: 'challenge'; readonly challenge: string }
  /** NDES: "The password cache is full." Passes by itself. */
  | { readonly kind: 'cache_full' }
  | { readonly kind: 'unexpected' };

// Okta's are 32 characters of base64url, NDES's upper-case hex. The bounds keep the time of a hostile page linear.
const CHALLENGE = /challenge password is:\s{0,64}(?:<[^>]{0,256}>\s{0,64}){0,16}([A-Za-z0-9_-]{8,256})/i;

export function readChallengePage(body: Buffer): ChallengePage {
  const text = decode(body);
  const challenge = CHALLENGE.exec(text)?.[1];
  if (challenge !== undefined) return { kind: 'challenge', challenge };
  return { kind: /password cache is full/i.test(text) ? 'cache_full' : 'unexpected' };
}

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
