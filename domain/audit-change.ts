// What a change replaced by what, as the audit trail keeps it.

export interface AuditChange {
  /** Of the field, as the API calls it: `blueprintId`, `patienceHours` */
  readonly name: string;
  /** Null: none. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Only what differs, in the order of `after`; a field that `after` leaves undefined stays as it was. */
export const changesBetween = (
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly AuditChange[] =>
  Object.entries(after).flatMap(([name, value]) => {
    const [was, is] = [before[name] ?? null, value ?? null];
    return value === undefined || JSON.stringify(was) === JSON.stringify(is)
      ? []
      : [{ name, before: was, after: is }];
  });
