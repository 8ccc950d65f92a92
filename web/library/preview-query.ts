// What saving the library item would do, asked of the API before it is done.
import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { call, type ResponseOf } from '../client.ts';
import type { SaveBody } from './item-draft.ts';

export type Preview = ResponseOf<'previewLibraryItem'>;

export function usePreview(
  body: SaveBody,
  itemId: string | undefined,
  enabled: boolean,
): UseQueryResult<Preview> {
  const asked = { ...body, ...(itemId === undefined ? {} : { libraryItemId: itemId }) };
  return useQuery({
    queryKey: ['previewLibraryItem', asked],
    queryFn: ({ signal }) => call('previewLibraryItem', { body: asked, signal }),
    enabled,
    staleTime: 0,
    placeholderData: keepPreviousData,
  });
}
