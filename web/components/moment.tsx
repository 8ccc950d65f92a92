// A moment: near ones as people say them ("3 h ago"), far ones as a date; the exact time with its zone on hover.
import { useSyncExternalStore } from 'react';
import { exactText, momentText, relativeText } from '../labels.ts';

export function Moment({
  at,
  none = '–',
  isDated = false,
}: {
  at: string | null | undefined;
  none?: string;
  /** Always as a date: after "since" and "as of". */
  isDated?: boolean;
}) {
  const nowMs = useSyncExternalStore(onTick, readNow);
  if (!at) return <>{none}</>;
  return (
    <time dateTime={at} title={exactText(at)}>
      {isDated ? momentText(at) : relativeText(at, nowMs)}
    </time>
  );
}

const TICK_MS = 20_000;
/** One clock for all moments of the page: they change together. */
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let shownMs = 0;

const readNow = (): number => (timer === undefined ? (shownMs = roundedNow()) : shownMs);
/** Whole ticks: what is drawn twice in one tick is the same. */
const roundedNow = (): number => Math.ceil(Date.now() / TICK_MS) * TICK_MS;

function onTick(listener: () => void): () => void {
  listeners.add(listener);
  shownMs = roundedNow();
  timer ??= setInterval(() => {
    shownMs = roundedNow();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
