// Which devices have read an integration's iOS secret key.
import { countIosKeyReaders, listIosKeyReaders } from '../../adapters/store/devices/ios-key-readers.ts';
import { findIntegration } from '../../adapters/store/integration/integrations.ts';
import type { iosKeyReaders } from '../contract/ios-key-readers.ts';
import { idCursor, pageOf, readCursor, writeCursor } from '../http/cursors.ts';
import { notFound } from '../http/problem.ts';
import type { Handlers } from '../http/serve.ts';

export const iosKeyHandlers = (): Handlers<typeof iosKeyReaders> => ({
  listIosKeyReaders: async ({ sql, params, query }) => {
    if (!(await findIntegration(sql, params.id))) throw notFound('integration');
    const [after] = readCursor(idCursor, query.after) ?? [];
    const rows = await listIosKeyReaders(sql, params.id, {
      isDoubtful: query.doubt === 'only',
      after,
      limit: query.limit + 1,
    });
    const { shown, next } = pageOf(rows, query.limit, (last) => writeCursor([last.id]));
    return { ...(await countIosKeyReaders(sql, params.id)), items: [...shown], next };
  },
});
