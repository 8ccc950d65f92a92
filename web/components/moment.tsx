// A date in the reader's own time zone; the exact time on hover.
import { exactWords, momentWords } from '../words.ts';

export function Moment({ at, none = '–' }: { at: string | null | undefined; none?: string }) {
  if (!at) return <>{none}</>;
  return (
    <time dateTime={at} title={exactWords(at)}>
      {momentWords(at)}
    </time>
  );
}
