// The one condition for devices that are told to do something.
import { ENROLLED_STATUSES } from '../../../domain/device.ts';

/** Of a query over `devices`. */
export const ENROLLED = `enrollment_status in (${ENROLLED_STATUSES.map((status) => `'${status}'`).join(', ')})`;
