// Which blueprints get the library item. A blueprint has one Okta Verify item at most.
import { Button, Checkbox, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { AddBlueprintDialog } from '../blueprints/add-blueprint-dialog.tsx';
import { Empty, Loaded } from '../components/page.tsx';
import { useApiQuery } from '../queries.ts';
import { plural } from '../labels.ts';

export function BlueprintChoice({
  chosen,
  itemId,
  choose,
  disabled,
}: {
  chosen: readonly string[];
  itemId: string | undefined;
  choose: (ids: string[]) => void;
  disabled: boolean;
}) {
  const query = useApiQuery('listBlueprints', {});
  const [isAdding, setAdding] = useState(false);
  const add = !disabled && (
    <Button size="xs" variant="default" onClick={() => setAdding(true)}>
      Add blueprint
    </Button>
  );
  return (
    <Loaded query={query} lines={2}>
      {({ items }) => (
        <Stack align="flex-start">
          {items.length === 0 ? (
            <Empty title="No blueprint yet" action={add}>
              Add one, or turn on Okta Device Trust and click Save: Odette suggests a test blueprint before it
              saves.
            </Empty>
          ) : (
            <Checkbox.Group
              label="Blueprints"
              description="Start with a test blueprint that has few devices."
              value={[...chosen]}
              onChange={choose}
            >
              <Stack gap="xs" mt="xs">
                {items.map(({ id, name, devices, libraryItemId }) => {
                  const isTaken = libraryItemId !== null && libraryItemId !== itemId;
                  return (
                    <Checkbox
                      key={id}
                      value={id}
                      disabled={disabled || isTaken}
                      label={
                        <>
                          {name}{' '}
                          <Text span size="sm" c="dimmed">
                            {plural(devices, 'device')}
                            {isTaken ? ', has another Okta Verify item' : ''}
                          </Text>
                        </>
                      }
                    />
                  );
                })}
              </Stack>
            </Checkbox.Group>
          )}
          {items.length > 0 && add}
          {isAdding && (
            <AddBlueprintDialog
              close={() => setAdding(false)}
              added={(id) => {
                setAdding(false);
                choose([...chosen, id]);
              }}
            />
          )}
        </Stack>
      )}
    </Loaded>
  );
}
