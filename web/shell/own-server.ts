// Whether devices enroll in Odette itself here: where another MDM server has them all, pages say what is not needed.
import { useApiQuery } from '../queries.ts';

/** True until Odette has said otherwise. */
export const useOwnServer = (): boolean =>
  useApiQuery('getStatus', {}).data?.channels.includes('built_in') ?? true;
