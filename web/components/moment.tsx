// A date in the reader's own time zone; the exact time on hover.
import { exactText, momentText } from '../labels.ts';

export function Moment({ at, none = '–' }: { at: string | null | undefined; none?: string }) {
  if (!at) return <>{none}</>;
  return (
    <time dateTime={at} title={exactText(at)}>
      {momentText(at)}
    </time>
  );
}
