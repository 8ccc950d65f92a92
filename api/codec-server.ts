// The codec server of the Temporal UI: the browser sends what a history holds, and gets it decoded. On a path that nobody guesses,
// for the exact origin of the UI. https://docs.temporal.io/production-deployment/data-encryption
import express, { type Router } from 'express';
import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import { ProblemError } from './http/problem.ts';

const bytes = z.base64();
const Body = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), bytes).nullish(), data: bytes.nullish() }))
    .max(5_000),
});

export function codecServer(options: {
  readonly read: (payload: Payload) => Payload;
  readonly origin: string;
}): Router {
  const router = express.Router();
  router.use((request, response, next) => {
    if (request.headers.origin !== options.origin) throw new ProblemError('request.not_allowed');
    response.set({
      'Access-Control-Allow-Origin': options.origin,
      'Access-Control-Allow-Headers': 'content-type,x-namespace',
      'Access-Control-Allow-Methods': 'POST,OPTIONS',
      Vary: 'Origin',
    });
    if (request.method === 'OPTIONS') response.status(204).end();
    else next();
  });
  // The UI adds a query (?preserveStorageRefs=true); it says nothing here.
  router.post('/decode', express.json({ limit: '16mb' }), (request, response) => {
    const { payloads } = Body.parse(request.body);
    response.json({ payloads: payloads.map((each) => writePayload(options.read(readPayload(each)))) });
  });
  return router;
}

type Wire = z.infer<typeof Body>['payloads'][number];

const readPayload = ({ metadata, data }: Wire): Payload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
  ),
  data: Buffer.from(data ?? '', 'base64'),
});

const writePayload = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
