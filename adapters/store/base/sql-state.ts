// Which of PostgreSQL's errors a statement ended with, by their names in its documentation (Appendix A).

const SQL_STATES = {
  deadlock_detected: '40P01',
  lock_not_available: '55P03',
  unique_violation: '23505',
} as const;

export const hasSqlState = (error: unknown, name: keyof typeof SQL_STATES): boolean =>
  error instanceof Error && 'code' in error && error.code === SQL_STATES[name];
