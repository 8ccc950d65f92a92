// Which devices have read an integration's iOS secret key: whoever reads it can make any iPhone or iPad count as managed.
import { z } from 'zod';
import { endpoint } from './endpoint.ts';
import { cursor, id, idParams, instant, limit } from './fields.ts';

const IosKeyReader = z
  .object({
    /** Null: an admin deleted the device. */
    deviceId: id.nullable(),
    udid: z.string(),
    serialNumber: z.string().nullable(),
    name: z.string().nullable(),
    firstAt: instant,
    lastAt: instant,
    /** Why this device may no longer be in your hands; null: it is managed and in scope. */
    doubt: z.enum(['deleted', 'left', 'unreachable', 'out_of_scope']).nullable(),
  })
  .meta({ id: 'IosKeyReader' });

export const iosKeyReaders = {
  listIosKeyReaders: endpoint({
    tag: 'integrations',
    summary: 'The devices that have read the current iOS secret key, and which of them are in doubt',
    method: 'get',
    path: '/api/integrations/{id}/ios-key-readers',
    access: 'viewer',
    params: idParams,
    query: z.strictObject({
      doubt: z.enum(['any', 'only']).default('any'),
      after: cursor.optional(),
      limit,
    }),
    status: 200,
    response: z
      .object({
        /** All of them, not only those of this page. */
        readers: z.number().int(),
        doubtful: z.number().int(),
        items: z.array(IosKeyReader),
        next: z.string().nullable(),
      })
      .meta({ id: 'IosKeyReaders' }),
  }),
};
