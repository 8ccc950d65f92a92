// The command that saves the library item as it is drafted.
import { curlLine } from '../curl-line.ts';
import { odetteLine } from '../odette-line.ts';
import { draftOf, saveBodyOf, type Item, type ItemDraft } from './item-draft.ts';

/** `odette` changes switch and blueprints; settings, and taking every blueprint off, need the API. */
export function saveLine(draft: ItemDraft, integrationId: string, item: Item | undefined): string {
  const body = saveBodyOf(draft, integrationId);
  const saved = draftOf(item);
  const settingsOf = (one: ItemDraft) =>
    JSON.stringify({
      ...one,
      blueprintIds: [],
      deviceTrustOn: false,
      isConfirmed: false,
      policyIsLifted: false,
    });
  const isPlain = settingsOf(draft) === settingsOf(saved);
  if (isPlain && draft.blueprintIds.length > 0)
    return odetteLine(
      ['library-item', 'save'],
      ['--integration', integrationId],
      ...draft.blueprintIds.map((id) => ['--blueprint', id] as const),
      ['--device-trust', draft.deviceTrustOn ? 'on' : 'off'],
    );
  return item === undefined
    ? curlLine('createLibraryItem', { body })
    : curlLine('saveLibraryItem', { params: { id: item.id }, body });
}
