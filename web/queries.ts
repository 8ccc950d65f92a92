// Reading and changing through the API from components: cached by operation, refreshed by live events.
import {
  keepPreviousData,
  QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from '@tanstack/react-query';
import { ApiProblem, call, receive, type ResponseOf, type Body, type Given } from './client.ts';
import type { ConsoleOperation } from './operations.ts';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the caller did wrong does not get better by asking again.
      retry: (count, error) => count < 3 && !(error instanceof ApiProblem && error.problem.status < 500),
      retryDelay: (count) => Math.min(500 * 2 ** count, 5_000),
      placeholderData: keepPreviousData,
    },
  },
});

interface Reading {
  readonly enabled?: boolean;
  readonly everyMs?: number | false;
}

export function useApiQuery<Id extends ConsoleOperation>(
  id: Id,
  given: Given<Id>,
  { enabled = true, everyMs = false }: Reading = {},
): UseQueryResult<ResponseOf<Id>> {
  return useQuery<ResponseOf<Id>>({
    queryKey: [id, given.params ?? {}, given.query ?? {}],
    queryFn: ({ signal }) => call(id, { ...given, signal }),
    enabled,
    refetchInterval: everyMs,
  });
}

/** With the version for `ifMatch`. */
export function useVersioned<Id extends ConsoleOperation>(
  id: Id,
  given: Given<Id>,
  enabled = true,
): UseQueryResult<{ body: ResponseOf<Id>; etag: string | null }> {
  return useQuery({
    queryKey: [id, given.params ?? {}, 'versioned'],
    queryFn: async ({ signal }) => {
      const { body, etag } = await receive(id, { ...given, signal });
      return { body, etag };
    },
    enabled,
  });
}

/** A change; afterwards everything named in `refreshes` is read again. */
export function useChange<Id extends ConsoleOperation>(
  id: Id,
  refreshes: readonly ConsoleOperation[],
  done?: (response: ResponseOf<Id>) => void,
): UseMutationResult<ResponseOf<Id>, Error, Given<Id>> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (given: Given<Id>) => call(id, given),
    onSuccess: async (response) => {
      done?.(response);
      await Promise.all(refreshes.map((operation) => client.invalidateQueries({ queryKey: [operation] })));
    },
  });
}

export type { ResponseOf, Body };
