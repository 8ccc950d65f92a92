// What was typed and not yet answered. It survives Back, Next and closing the browser; secrets stay in this page's memory only.
import { useCallback, useState } from 'react';

export type Draft = Readonly<Record<string, string>>;
export interface Drafting {
  readonly draft: Draft;
  readonly set: (field: string, value: string) => void;
  readonly drop: (fields: readonly string[]) => void;
}

export const SECRET_FIELDS: readonly string[] = ['clientSecret', 'password', 'secretKey'];
const keyOf = (setupId: string): string => `odette.setup.${setupId}`;

export function useDraft(setupId: string): Drafting {
  const [draft, setDraft] = useState<Draft>(() => readKept(setupId));
  const change = useCallback(
    (work: (before: Draft) => Draft) =>
      setDraft((before) => {
        const after = work(before);
        keep(setupId, after);
        return after;
      }),
    [setupId],
  );
  return {
    draft,
    set: useCallback((field, value) => change((before) => ({ ...before, [field]: value })), [change]),
    drop: useCallback(
      (fields) =>
        change((before) =>
          Object.fromEntries(Object.entries(before).filter(([name]) => !fields.includes(name))),
        ),
      [change],
    ),
  };
}

export const discardDraft = (setupId: string): void => localStorage.removeItem(keyOf(setupId));

function keep(setupId: string, draft: Draft): void {
  const open = Object.entries(draft).filter(([field]) => !SECRET_FIELDS.includes(field));
  localStorage.setItem(keyOf(setupId), JSON.stringify(Object.fromEntries(open)));
}

function readKept(setupId: string): Draft {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(setupId)) ?? '{}');
    return typeof kept === 'object' && kept !== null ? (kept as Draft) : {};
  } catch {
    return {};
  }
}
