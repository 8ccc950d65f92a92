// The codec server: shows people what a history holds. Nothing is encoded here. Mount it behind the check of who asks.
// https://docs.temporal.io/production-deployment/data-encryption
import express, { type Router } from 'express';
import type { Payload } from '@temporalio/common';
import { z } from 'zod';

export type PayloadReader = (payload: Payload) => Payload;

const bytes = z.base64();
const Body = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), bytes).nullish(), data: bytes.nullish() }))
    .max(5_000),
});

export function codecServer(read: PayloadReader): Router {
  const router = express.Router();
  // The UI adds a query (?preserveStorageRefs=true); it says nothing here.
  router.post('/decode', express.json({ limit: '16mb' }), (request, response) => {
    const { payloads } = Body.parse(request.body);
    response.json({ payloads: payloads.map((each) => writePayload(read(readPayload(each)))) });
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

export const writePayload = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
