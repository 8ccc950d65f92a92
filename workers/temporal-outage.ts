// Tells an absent Temporal (wait for it) from a refused request (look at it).
import { isGrpcServiceError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';

// gRPC status codes: CANCELLED (connection closed under the call), DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE.
const AWAY = new Set([1, 4, 8, 10, 13, 14]);

const NOT_FOUND = 5;

/** What was asked for is not there. */
export const isNotFound = (error: unknown): boolean =>
  isGrpcServiceError(error) && (error.code as number) === NOT_FOUND;

/** The server cannot be reached, is starting, is busy, or is going away. */
export function isOutage(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause) && AWAY.has(cause.code)) return true;
    if (cause instanceof NamespaceNotFoundError) return true;
    // Connecting failed: Node's own codes.
    if ('code' in cause && typeof cause.code === 'string' && /^E[A-Z]+$/.test(cause.code)) return true;
  }
  return false;
}
