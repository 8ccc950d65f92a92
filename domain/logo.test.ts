import { describe, expect, it } from 'vitest';
import { chunk, header, pngOf, squarePng } from '../test/harness/png.ts';
import { MAX_LOGO_BYTES, MAX_LOGO_SIDE, readLogo } from './logo.ts';

const picture = chunk('IDAT', Buffer.from('of what it shows'));
const end = chunk('IEND');
const plain = pngOf(header(2, 2), picture, end);

describe('a logo', () => {
  it('is a PNG as it was given', () => {
    for (const png of [plain, squarePng(MAX_LOGO_SIDE)])
      expect(Buffer.from(readLogo(png) ?? []).equals(png)).toBe(true);
  });

  it('loses what is no picture, and what follows it', () => {
    const said = chunk('tEXt', Buffer.from('Author\0Ada'));
    const where = chunk('eXIf', Buffer.from('52.1 N'));
    const full = Buffer.concat([pngOf(header(2, 2), said, where, picture, end), Buffer.from('<script>')]);
    expect(Buffer.from(readLogo(full) ?? [])).toEqual(plain);
  });

  it.each([
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')],
    ['a JPEG', Buffer.from('ffd8ffe000104a4649460001', 'hex')],
    ['nothing', Buffer.alloc(0)],
    ['only the signature', pngOf()],
    ['wider than the bound', pngOf(header(MAX_LOGO_SIDE + 1, 2), picture, end)],
    ['of no height', pngOf(header(2, 0), picture, end)],
    ['without its header', pngOf(picture, end)],
    ['without a picture', pngOf(header(2, 2), end)],
    ['cut off', plain.subarray(0, -1)],
    ['longer in a chunk than in the file', pngOf(header(2, 2), Buffer.from('fffffff049444154', 'hex'))],
    ['too large', pngOf(header(2, 2), chunk('IDAT', Buffer.alloc(MAX_LOGO_BYTES)), end)],
  ])('is refused when it is %s', (_what, file) => {
    expect(readLogo(file)).toBeUndefined();
  });
});
