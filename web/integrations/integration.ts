// The integration as the API shows it.
import type { ResponseOf } from '../queries.ts';

export type Integration = ResponseOf<'getIntegration'>;
