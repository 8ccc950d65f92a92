// A QR code as one SVG path: nothing is fetched, and no address of it is kept.
import encodeQR from 'qr';
import { useMemo } from 'react';

const SIDE_PX = 200;

export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => drawn(text), [text]);
  return (
    <svg role="img" aria-label={label} width={SIDE_PX} height={SIDE_PX} viewBox={`0 0 ${size} ${size}`}>
      {/* White in dark mode too: cameras look for dark on light. */}
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
}

function drawn(text: string): { size: number; path: string } {
  // ISO/IEC 18004 asks for a quiet zone of four modules.
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 4 });
  const path = rows
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  return { size: rows.length, path };
}
