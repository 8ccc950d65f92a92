// What every part of the sandbox is given, and what sandbox.ts expects of a part that it mounts.
import type { RequestListener } from 'node:http';
import type { Router } from 'express';
import type { Clock } from './clock.ts';
import type { HoldPoints } from './hold-points.ts';

export interface World {
  /** Folder of the part's own; it may write there what it likes (state-file.ts writes whole documents). */
  readonly dataDir: string;
  readonly clock: Clock;
  /** Parts need not call it: sandbox.ts holds requests and responses around `listener`, named by `nameOf`. */
  readonly holds: HoldPoints;
}

/** A pretend service: HTTPS is ended by sandbox.ts, which also mounts `knobs` on the management port. */
export interface ServicePart {
  readonly listener: RequestListener;
  /** Names a request for hold points, without the service's own name: `token`, `challenge`, `scep.PKIOperation`. */
  nameOf(request: { method?: string | undefined; url?: string | undefined }): string;
  /** Mounted at `/tenants/NAME` or `/apps-and-books`; JSON bodies are parsed already. */
  readonly knobs: Router;
  counts(): Readonly<Record<string, number>>;
  /** Resolves when everything is on disk. */
  close(): Promise<void>;
}
