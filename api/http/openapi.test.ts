// The OpenAPI document is sound, and the running server responds to every operation as it says.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAdminApi, type AdminApi, type ApiResponse } from '../../test/harness/admin-api.ts';
import { contract } from '../contract/contract.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { seedFleet, type SeededFleet } from '../../test/harness/seeded-fleet.ts';

interface Operation {
  readonly operationId: string;
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
}

let api: AdminApi;
let fleet: SeededFleet;
let document: Document;
let ajv: Ajv2020;
beforeAll(async () => {
  api = await openAdminApi();
  fleet = await seedFleet(api.database, api.ring);
  document = (await api.call('GET', '/openapi.json')).body as Document;
  ajv = new Ajv2020({ strict: false, allErrors: true });
  (addFormats as unknown as (to: Ajv2020) => void)(ajv);
  ajv.addFormat('password', true);
  ajv.addSchema(document, 'api');
});
afterAll(() => api.close());

const endpoints = Object.entries(contract) as unknown as [string, Endpoint][];
const compiled = new Map<string, ValidateFunction>();

/** The schema that the document gives for a response of this status and type. */
function validatorFor(shape: Endpoint, response: ApiResponse): ValidateFunction {
  const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const responses = document.paths[shape.path]?.[shape.method]?.responses ?? {};
  const key = response.status in responses ? String(response.status) : 'default';
  const pointer = ['paths', shape.path, shape.method, 'responses', key, 'content', type, 'schema'];
  const escaped = pointer
    .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .map(encodeURIComponent);
  const ref = `api#/${escaped.join('/')}`;
  const known = compiled.get(ref) ?? ajv.compile({ $ref: ref });
  compiled.set(ref, known);
  return known;
}

function expectDeclared(id: string, shape: Endpoint, response: ApiResponse): void {
  if (response.status === 204) return;
  const validate = validatorFor(shape, response);
  expect(
    validate(response.body),
    `${id} ${response.status}: ${JSON.stringify(validate.errors)?.slice(0, 500)}`,
  ).toBe(true);
}

const pathOf = (shape: Endpoint): string =>
  shape.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'answerId' ? 'none' : (fleet.ids[shape.path.split('/')[2] ?? ''] ?? fleet.deviceId),
  );

describe('the document', () => {
  test('names each operation once, and every reference leads somewhere', () => {
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(ids.sort()).toEqual(Object.keys(contract).sort());
    const text = JSON.stringify(document);
    const names = new Set(
      [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? ''),
    );
    for (const name of names) expect(document.components.schemas, name).toHaveProperty([name]);
    expect(text).not.toContain('$defs');
  });

  test('every schema is one', () => {
    for (const name of Object.keys(document.components.schemas))
      expect(() => ajv.compile({ $ref: `api#/components/schemas/${name}` }), name).not.toThrow();
  });
});

describe('every operation', () => {
  test.each(endpoints.filter(([, shape]) => shape.method === 'get' && shape.response && !shape.responseType))(
    '%s responds as declared',
    async (id, shape) => {
      const response = await api.call('GET', pathOf(shape));
      if (!(shape.problems ?? []).length)
        expect(response.status, response.text.slice(0, 300)).toBe(shape.status);
      expect(response.status).toBeLessThan(600);
      expect(response.body?.code, response.text.slice(0, 300)).not.toBe('server.failed');
      expectDeclared(id, shape, response);
    },
  );

  test.each(endpoints.filter(([, shape]) => shape.access !== 'public'))(
    '%s refuses who is nobody',
    async (id, shape) => {
      const response = await api.call(shape.method.toUpperCase(), pathOf(shape), undefined, {
        authorization: '',
      });
      expect([id, response.status]).toEqual([id, 401]);
      expectDeclared(id, shape, response);
    },
  );

  test.each(endpoints.filter(([, shape]) => shape.access === 'operator' || shape.access === 'admin'))(
    '%s refuses a viewer',
    async (id, shape) => {
      const headers = { authorization: `Bearer ${fleet.viewerToken}` };
      const response = await api.call(shape.method.toUpperCase(), pathOf(shape), undefined, headers);
      expect([id, response.status]).toEqual([id, 403]);
      expectDeclared(id, shape, response);
    },
  );

  test.each(endpoints.filter(([, shape]) => shape.body))(
    '%s names what is wrong with a body',
    async (id, shape) => {
      const response = await api.call(shape.method.toUpperCase(), pathOf(shape), [1]);
      expect([id, response.status]).toEqual([id, 400]);
      expectDeclared(id, shape, response);
    },
  );

  test.each(endpoints.filter(([, shape]) => shape.path.includes('{id}')))(
    '%s refuses what is no id',
    async (id, shape) => {
      const at = shape.path.replaceAll(/\{\w+\}/g, 'no-id');
      const response = await api.call(shape.method.toUpperCase(), at, shape.body ? {} : undefined);
      expect([id, response.status]).toEqual([id, 400]);
      expectDeclared(id, shape, response);
    },
  );
});
