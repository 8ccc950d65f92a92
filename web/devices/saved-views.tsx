// Views of the device list: filter and order under a name, kept in this browser as the columns are. A colleague gets the address.
import { Button, Group, List, Menu, Stack, Text, TextInput } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Dialog } from '../components/dialog.tsx';
import { readDeviceSearch, type DeviceSearch } from './device-search.ts';

interface View {
  readonly name: string;
  readonly search: DeviceSearch;
}

const MAX_NAME_LENGTH = 60;

export function SavedViews({ search }: { search: DeviceSearch }) {
  const navigate = useNavigate();
  const [views, setViews] = useLocalStorage<readonly View[]>({
    key: 'odette.device-views',
    defaultValue: [],
  });
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Menu>
        <Menu.Target>
          <Button size="xs" variant="subtle" ml="auto">
            Views ▾
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {views.map(({ name, search: saved }) => (
            <Menu.Item
              key={name}
              // As carefully as an address: another release may have written it.
              onClick={() => void navigate({ to: '/devices', search: readDeviceSearch({ ...saved }) })}
            >
              {name}
            </Menu.Item>
          ))}
          {views.length > 0 && <Menu.Divider />}
          <Menu.Item onClick={() => setOpen(true)}>Save or remove views…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isOpen && (
        <ViewsDialog
          views={views}
          save={(name) => {
            const { after: _page, ...kept } = search;
            setViews([...views.filter((view) => view.name !== name), { name, search: kept }]);
          }}
          remove={(name) => setViews(views.filter((view) => view.name !== name))}
          close={() => setOpen(false)}
        />
      )}
    </>
  );
}

function ViewsDialog({
  views,
  save,
  remove,
  close,
}: {
  views: readonly View[];
  save: (name: string) => void;
  remove: (name: string) => void;
  close: () => void;
}) {
  const [typed, setTyped] = useState('');
  const name = typed.trim();
  return (
    <Dialog opened onClose={close} title="Views of the device list">
      <Stack>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save(name);
            close();
          }}
        >
          <TextInput
            label="Name of a new view"
            description="Odette saves the current filter and order in this browser. To share a view, send the address of the page."
            maxLength={MAX_NAME_LENGTH}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            data-autofocus
          />
          <Group justify="flex-end" mt="xs">
            <Button type="submit" disabled={name === ''}>
              {views.some((view) => view.name === name) ? 'Replace view' : 'Save view'}
            </Button>
          </Group>
        </form>
        {views.length > 0 && (
          <List listStyleType="none" spacing="xs">
            {views.map((view) => (
              <List.Item key={view.name}>
                <Group justify="space-between" wrap="nowrap">
                  <Text size="sm" className="break-anywhere">
                    {view.name}
                  </Text>
                  <Button
                    size="compact-xs"
                    variant="default"
                    aria-label={`Remove the view ${view.name}`}
                    onClick={() => remove(view.name)}
                  >
                    Remove
                  </Button>
                </Group>
              </List.Item>
            ))}
          </List>
        )}
      </Stack>
    </Dialog>
  );
}
