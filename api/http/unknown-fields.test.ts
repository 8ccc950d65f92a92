// A request with a field that its operation does not know is refused by that field's name: every operation, in the contract's order.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openAdminApi, type AdminApi } from '../../test/harness/admin-api.ts';
import { contract } from '../contract/contract.ts';
import type { Endpoint } from '../contract/endpoint.ts';

let api: AdminApi;
beforeAll(async () => {
  api = await openAdminApi();
});
afterAll(() => api.close());

interface Sample {
  readonly value: unknown;
  /** As the refusal names it. */
  readonly field: string;
}
const UNKNOWN = 'unknownField';

/** One value for each object of the schema, that object with a field that it does not know. */
function samplesOf(schema: z.core.$ZodType | undefined, at: readonly string[] = []): Sample[] {
  const name = (...path: string[]) => [...at, ...path].join('.');
  if (schema === undefined) return [{ value: { [UNKNOWN]: 1 }, field: UNKNOWN }];
  if (schema instanceof z.ZodPipe) return samplesOf(schema.def.in, at);
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return samplesOf(schema.def.innerType, at);
  if (schema instanceof z.ZodUnion)
    return schema.def.options.flatMap((option) =>
      samplesOf(option, at).map(({ value, field }) => ({
        value: { ...discriminatorOf(schema, option), ...(value as object) },
        field,
      })),
    );
  if (schema instanceof z.ZodArray)
    return samplesOf(schema.def.element, [...at, '0']).map(({ value, field }) => ({ value: [value], field }));
  if (!(schema instanceof z.ZodObject)) return [];
  const inside = Object.entries(schema.def.shape).flatMap(([key, each]) =>
    samplesOf(each, [...at, key]).map(({ value, field }) => ({ value: { [key]: value }, field })),
  );
  return [{ value: { [UNKNOWN]: 1 }, field: name(UNKNOWN) }, ...inside];
}

/** What tells the options of a union apart, as this option has it. */
function discriminatorOf(union: z.ZodUnion, option: z.core.$ZodType): object {
  if (!(union instanceof z.ZodDiscriminatedUnion) || !(option instanceof z.ZodObject)) return {};
  const key = union.def.discriminator;
  const literal: unknown = option.def.shape[key];
  return literal instanceof z.ZodLiteral ? { [key]: literal.value } : {};
}

const endpoints = Object.entries(contract) as unknown as [string, Endpoint][];
const pathOf = (shape: Endpoint): string => shape.path.replaceAll(/\{\w+\}/g, randomUUID());
const named = async (shape: Endpoint, query: string, body?: unknown): Promise<unknown> => {
  const response = await api.call(shape.method.toUpperCase(), pathOf(shape) + query, body);
  expect(response).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
  const errors = response.body.errors as { field: string; code: string; reason: string }[];
  return errors.filter(({ code }) => code === 'unrecognized_keys').map(({ field }) => field);
};

test.each(endpoints)('%s refuses an unknown parameter by name', async (_id, shape) => {
  expect(await named(shape, `?${UNKNOWN}=1`)).toEqual([UNKNOWN]);
});

const changes = endpoints.filter(([, { method }]) => method !== 'get');
test.each(changes)('%s refuses an unknown field of its body by name', async (_id, shape) => {
  const samples = samplesOf(shape.body);
  expect(samples.length).toBeGreaterThan(0);
  for (const { value, field } of samples) expect(await named(shape, '', value), field).toContain(field);
});

test('misspelled parts deep in a body are looked at, too', () => {
  expect(samplesOf(contract.requestFromDevices.body).map(({ field }) => field)).toEqual([
    UNKNOWN,
    `filter.${UNKNOWN}`,
  ]);
  expect(samplesOf(contract.answerSetup.body).length).toBe(contract.answerSetup.body.def.options.length);
});
