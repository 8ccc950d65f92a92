// The organization's logo on the enrollment page: a PNG (W3C PNG, third edition, §5), bounded, with nothing in it but the picture. SVG is refused:
// it is a document that can hold scripts and addresses of other hosts, and the page is opened by whoever has the link.

/** Of the file that is given. */
export const MAX_LOGO_BYTES = 100_000;
/** Of each side, in pixels: as large as a page draws it on a sharp screen, and decoded in a few megabytes. */
export const MAX_LOGO_SIDE = 1_024;

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** What draws the picture; anything else (text, EXIF, color profiles, animations) says where and by whom it was made, or nothing. */
const KEPT = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
/** Length, type and checksum. */
const FRAME_BYTES = 12;

/** The picture alone; undefined: no PNG, too large, or broken. */
export function readLogo(file: Uint8Array): Uint8Array | undefined {
  if (file.length > MAX_LOGO_BYTES || SIGNATURE.some((byte, at) => file[at] !== byte)) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const kept: Uint8Array[] = [file.subarray(0, SIGNATURE.length)];
  const types: string[] = [];
  for (let at = SIGNATURE.length; types.at(-1) !== 'IEND';) {
    if (at + FRAME_BYTES > file.length) return undefined;
    const end = at + FRAME_BYTES + view.getUint32(at);
    if (end > file.length) return undefined;
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (types.length === 0 && !isHeader(type, view, at, end)) return undefined;
    types.push(type);
    if (KEPT.has(type)) kept.push(file.subarray(at, end));
    at = end;
  }
  return types.includes('IDAT') ? joined(kept) : undefined;
}

/** The first chunk: 13 bytes, which begin with width and height. */
function isHeader(type: string, view: DataView, at: number, end: number): boolean {
  const data = at + 8;
  if (type !== 'IHDR' || end - at !== FRAME_BYTES + 13) return false;
  const sides = [view.getUint32(data), view.getUint32(data + 4)];
  return sides.every((side) => side > 0 && side <= MAX_LOGO_SIDE);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
