// Writes the OpenAPI 3.1 document from the contract: the same schemas that the server checks with.
import { z } from 'zod';
import { FAILURES } from '../../domain/failures.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { Problem } from '../contract/fields.ts';

type Json = Record<string, unknown>;
const PROBLEM = 'application/problem+json';
const TAGS: Readonly<Record<string, string>> = {
  people: 'Signing in, people and API tokens',
  setup: 'The setup wizard',
  integrations: 'Connected Okta tenants',
  library: 'The Okta Verify library item, blueprints and enrollment codes',
  devices: 'Devices and what is proven about them',
  rollouts: 'Rollouts, failures and replay',
  renewals: 'Certificates and when they are renewed',
  instance: 'This installation',
};

export function writeOpenApi(
  contract: Record<string, Endpoint>,
  options: { readonly version: string; readonly cookie: string },
): Json {
  const schemas: Json = {};
  const problem = schemaOf(Problem, 'output', schemas);
  const paths: Record<string, Json> = {};
  for (const [id, shape] of Object.entries(contract)) {
    (paths[shape.path] ??= {})[shape.method] = operation(id, shape, problem, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Odette',
      version: options.version,
      description:
        'Self-hosted Okta Device Trust for Apple fleets. Problems are RFC 9457 documents with a `code` from the failure catalog.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'An API token' },
        session: { type: 'apiKey', in: 'cookie', name: options.cookie },
      },
    },
  };
}

function operation(id: string, shape: Endpoint, problem: Json, schemas: Json): Json {
  const isChange = shape.method === 'post' && shape.access !== 'public';
  return {
    operationId: id,
    tags: [shape.tag],
    summary: shape.summary,
    'x-odette-role': shape.access,
    security: shape.access === 'public' ? [] : [{ token: [] }, { session: [] }],
    parameters: [
      ...parameters('path', shape.params, schemas),
      ...parameters('query', shape.query, schemas),
      ...(isChange
        ? [header('Idempotency-Key', 'A repeated request with the same key and body gets the same response')]
        : []),
      ...(shape.versioned && shape.method !== 'get'
        ? [header('If-Match', 'The ETag of the version that the change is based on')]
        : []),
      ...(shape.responseType === 'text/event-stream'
        ? [header('Last-Event-ID', 'The id of the last event seen')]
        : []),
    ],
    ...(shape.body && {
      requestBody: {
        required: !shape.body.safeParse(undefined).success,
        content: { 'application/json': { schema: schemaOf(shape.body, 'input', schemas) } },
      },
    }),
    responses: { ...successResponses(shape, schemas), ...problemResponses(shape, problem) },
  };
}

const header = (name: string, description: string): Json => ({
  in: 'header',
  name,
  description,
  required: false,
  schema: { type: 'string' },
});

function parameters(place: 'path' | 'query', schema: z.ZodObject | undefined, schemas: Json): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => ({
    in: place,
    name,
    required: place === 'path',
    schema: schemaOf(field as z.ZodType, 'input', schemas),
  }));
}

function successResponses(shape: Endpoint, schemas: Json): Json {
  const content = (schema: z.ZodType | undefined): Json =>
    shape.responseType !== undefined
      ? { content: { [shape.responseType]: { schema: { type: 'string' } } } }
      : schema
        ? { content: { 'application/json': { schema: schemaOf(schema, 'output', schemas) } } }
        : {};
  const tagged = shape.versioned && shape.method === 'get';
  const headers = tagged ? { headers: { ETag: { schema: { type: 'string' } } } } : {};
  const later = {
    description: 'Accepted; poll `Location`',
    headers: { Location: { schema: { type: 'string' } } },
    ...content(shape.later),
  };
  return {
    [shape.status]: { description: 'Done', ...headers, ...content(shape.response) },
    ...(shape.later && { 202: later }),
  };
}

function problemResponses(shape: Endpoint, problem: Json): Json {
  const statuses = new Map<number, string[]>();
  const add = (code: keyof typeof FAILURES) => {
    const { status } = FAILURES[code];
    statuses.set(status, [...(statuses.get(status) ?? []), code]);
  };
  if (shape.params || shape.query || shape.body) add('request.invalid');
  if (shape.access !== 'public') (['request.not_signed_in', 'request.not_allowed'] as const).forEach(add);
  if (shape.params) add('request.not_found');
  if (shape.versioned && shape.method !== 'get') add('request.changed_meanwhile');
  if (shape.body) (['request.too_large', 'request.unsupported_media_type'] as const).forEach(add);
  if (shape.method === 'post' && shape.access !== 'public') add('request.idempotency_key_reused');
  (shape.problems ?? []).forEach(add);
  const problemResponse = (description: string): Json => ({
    description,
    content: { [PROBLEM]: { schema: problem } },
  });
  return Object.fromEntries([
    ...[...statuses].map(([status, codes]) => [String(status), problemResponse(codes.join(', '))]),
    ['default', problemResponse('Any other problem')],
  ]) as Json;
}

/** A schema with an id becomes a component; input and output of one id are the same but where a default makes a field optional. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const {
    $schema: _,
    $defs,
    ...root
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json & { $defs?: Record<string, Json> };
  for (const [name, definition] of Object.entries($defs ?? {})) {
    const { id: _id, ...rest } = definition;
    if (io === 'input' || !(name in schemas)) schemas[name] = plain(rest, io);
  }
  return plain(root, io) as Json;
}

/** Unknown fields of a request are refused; in a response there may be new ones one day. */
function plain(value: unknown, io: 'input' | 'output'): unknown {
  if (Array.isArray(value)) return value.map((each) => plain(each, io));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key, each]) => key !== 'id' || typeof each !== 'string')
    .filter(([key, each]) => !(io === 'output' && key === 'additionalProperties' && each === false))
    .map(([key, each]) => [
      key,
      key === '$ref' && typeof each === 'string'
        ? each.replace('#/$defs/', '#/components/schemas/')
        : plain(each, io),
    ]);
  return Object.fromEntries(entries);
}
