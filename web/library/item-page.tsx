// The page of the library item Okta Verify: which one it is, saved already or not.
import { useSearch } from '@tanstack/react-router';
import { ButtonLink } from '../components/links.tsx';
import { useState } from 'react';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useApiQuery, useVersioned } from '../queries.ts';
import type { Integration } from './item-draft.ts';
import { ItemEditor } from './item-editor.tsx';

/** Of an integration that has no item yet. */
const NOT_SAVED = { body: undefined, etag: null };

export function ItemPage() {
  const search = useSearch({ from: '/inside/library/okta-verify' });
  const items = useApiQuery('listLibraryItems', {});
  const integrations = useApiQuery('listIntegrations', {});
  const found = items.data?.items.find(({ id, integrationId }) =>
    search.item === undefined ? integrationId === search.integration : id === search.item,
  );
  return (
    <Page
      title="Okta Verify"
      help="quickstart#5-a-test-blueprint-and-the-library-item-with-okta-device-trust-on"
      above={[{ label: 'Library', to: { to: '/library' } }]}
      intro="App Store app, distributed through Apps and Books."
    >
      <Loaded query={items}>
        {() => (
          <Loaded query={integrations}>
            {({ items: all }) => {
              const wanted =
                found?.integrationId ?? search.integration ?? (all.length === 1 ? all[0]?.id : undefined);
              const integration = all.find(({ id }) => id === wanted);
              if (!integration) return <NoIntegration />;
              const known =
                found ?? items.data?.items.find(({ integrationId }) => integrationId === integration.id);
              return <ItemOf key={integration.id} integration={integration} itemId={known?.id} />;
            }}
          </Loaded>
        )}
      </Loaded>
    </Page>
  );
}

function NoIntegration() {
  return (
    <Empty title="Which Okta tenant?" action={<ButtonLink to="/library">Go to the library</ButtonLink>}>
      Okta Verify belongs to an integration. Choose it in the library.
    </Empty>
  );
}

function ItemOf({ integration, itemId }: { integration: Integration; itemId: string | undefined }) {
  const editor = useEditor(itemId);
  const query = useVersioned('getLibraryItem', { params: { id: itemId ?? '' } }, itemId !== undefined);
  // While another item loads the query still holds the one before.
  const found = query.data?.body.id === itemId ? query.data : undefined;
  const data = found ?? (itemId === undefined || editor.beganNew ? NOT_SAVED : undefined);
  return (
    <Loaded query={{ data, error: query.error, isRefetchError: query.isRefetchError }} lines={8}>
      {({ body, etag }) => <ItemEditor key={editor.key} integration={integration} item={body} etag={etag} />}
    </Loaded>
  );
}

/** An editor that began without an item stays when one is made, by whomever: what is being changed in it is kept. */
function useEditor(itemId: string | undefined): { readonly key: string; readonly beganNew: boolean } {
  const [editor, setEditor] = useState({ itemId, key: itemId ?? 'new' });
  const isOther = editor.itemId !== undefined && itemId !== undefined;
  if (editor.itemId !== itemId) setEditor({ itemId, key: isOther ? itemId : editor.key });
  return { key: editor.key, beganNew: editor.key === 'new' };
}
