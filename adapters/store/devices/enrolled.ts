// The one condition for devices that are told to do something.

/** Of a query over `devices`. An unreachable one (no push gets through) still takes its commands when it calls by itself. */
export const ENROLLED = `enrollment_status in ('enrolled', 'unreachable')`;
