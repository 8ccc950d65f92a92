// Looks at the address under which devices reach Odette, as a device would, now and then in the background.
import { checkConnection, type TlsConnection } from '../adapters/tls/connection-check.ts';

const LOOK_EVERY_MS = 600_000;
/** Not reached from here: it may just be starting. */
const LOOK_AGAIN_MS = 30_000;

/** What was found last, without waiting; asking for it starts another look when the last one is old. */
export function publicUrlTls(
  publicUrl: string | undefined,
  options: { readonly lookEveryMs?: number } = {},
): () => TlsConnection | undefined {
  const lookEveryMs = options.lookEveryMs ?? LOOK_EVERY_MS;
  let found: TlsConnection | undefined;
  let nextAt = 0;
  return () => {
    if (publicUrl !== undefined && Date.now() >= nextAt) {
      nextAt = Infinity;
      void checkConnection(publicUrl).then((now) => {
        found = now;
        nextAt = Date.now() + (now ? lookEveryMs : Math.min(lookEveryMs, LOOK_AGAIN_MS));
      });
    }
    return found;
  };
}
