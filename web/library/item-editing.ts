// The state of a library item under change: the version it was loaded from, the draft over it, and what somebody else saved meanwhile.
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { ResponseOf } from '../queries.ts';
import { draftOf, isSame, readConfiguration, type Item, type ItemDraft } from './item-draft.ts';

export function useItemEditing(item: Item | undefined, etag: string | null) {
  const navigate = useNavigate();
  const client = useQueryClient();
  // What is changed here was loaded from one version, and is saved on that one alone.
  const [loaded, setLoaded] = useState({ item, etag });
  const saved = draftOf(loaded.item);
  const [draft, setDraft] = useState<ItemDraft>(saved);
  const [isSaving, setSaving] = useState(false);
  const isDirty = !isSame(draft, saved);
  const isOutdated = etag !== loaded.etag || !isSame(saved, draftOf(item));
  const load = (version: typeof loaded) => {
    setLoaded(version);
    setDraft(draftOf(version.item));
  };
  // Somebody else saved meanwhile: shown at once, unless something is being changed here.
  useEffect(() => {
    if (isOutdated && !isDirty && !isSaving) load({ item, etag });
  }, [isOutdated, isDirty, isSaving, item, etag]);
  return {
    loaded,
    saved,
    draft,
    isDirty,
    isReadable:
      readConfiguration(draft.appConfiguration) !== undefined &&
      readConfiguration(draft.extraKeys) !== undefined,
    isOutdated,
    isSaving,
    setSaving,
    change: (part: Partial<ItemDraft>) => setDraft((before) => ({ ...before, ...part })),
    discard: () => setDraft(saved),
    /** What somebody else saved takes the place of the draft. */
    loadNewest: () => {
      setSaving(false);
      load({ item, etag });
    },
    /** What was just saved is the version from here on. */
    show: (version: { readonly item: Item; readonly etag: string | null }) => {
      const { id } = version.item;
      client.setQueryData(['getLibraryItem', { id }, 'versioned'], {
        body: version.item,
        etag: version.etag,
      });
      // Otherwise there would be no item until the list is read again.
      client.setQueryData<ResponseOf<'listLibraryItems'>>(
        ['listLibraryItems', {}, {}],
        (list) => list && { ...list, items: [...list.items.filter((one) => one.id !== id), version.item] },
      );
      load(version);
      void navigate({ to: '/library/okta-verify', search: { item: id }, replace: true });
    },
  };
}
