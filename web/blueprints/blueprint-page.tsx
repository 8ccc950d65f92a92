// One blueprint: its devices, its library item, its enrollment link and codes.
import { Button, Group, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { useNavigate, useParams } from '@tanstack/react-router';
import { AnchorLink } from '../components/links.tsx';
import { useState } from 'react';
import { curlLine } from '../curl-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { EnrollmentLink } from '../components/enrollment-link.tsx';
import { Empty, Loaded, Page } from '../components/page.tsx';
import { useApiQuery, useChange, type ResponseOf } from '../queries.ts';
import { useMay } from '../shell/session.ts';
import { plural } from '../labels.ts';
import { EnrollmentCodes } from './enrollment-codes.tsx';

type Blueprint = ResponseOf<'listBlueprints'>['items'][number];

export function BlueprintPage() {
  const { blueprintId } = useParams({ from: '/inside/blueprints/$blueprintId' });
  const query = useApiQuery('listBlueprints', {});
  const isAdmin = useMay('admin');
  const mayEnroll = useMay('operator');
  const blueprint = query.data?.items.find(({ id }) => id === blueprintId);
  return (
    <Page
      title={blueprint?.name ?? 'Blueprint'}
      help="quickstart#6-a-mac-enrolls"
      above={[{ label: 'Blueprints', to: { to: '/blueprints' } }]}
      actions={blueprint && isAdmin && <Change blueprint={blueprint} />}
    >
      <Loaded query={query}>
        {() =>
          blueprint ? (
            <Stack>
              <Paper withBorder p="lg">
                <Group gap="xl" align="flex-start">
                  <Stack gap={4}>
                    <Text size="sm" fw={600}>
                      Devices
                    </Text>
                    <AnchorLink to="/devices" search={{ blueprint: blueprint.id }} size="sm">
                      {plural(blueprint.devices, 'device')}
                    </AnchorLink>
                  </Stack>
                  <Stack gap={4}>
                    <Text size="sm" fw={600}>
                      Okta Verify
                    </Text>
                    {blueprint.libraryItemId === null ? (
                      <Text size="sm">
                        Not assigned.{' '}
                        <AnchorLink to="/library" size="sm">
                          Go to the library
                        </AnchorLink>
                      </Text>
                    ) : (
                      <AnchorLink
                        to="/library/okta-verify"
                        search={{ item: blueprint.libraryItemId }}
                        size="sm"
                      >
                        Assigned: open the library item
                      </AnchorLink>
                    )}
                  </Stack>
                  <EnrollmentLink label="Enrollment link" link={blueprint.enrollmentLink} />
                </Group>
              </Paper>
              {mayEnroll && (
                <Paper withBorder p="lg" component="section" aria-labelledby="codes">
                  <Title order={2} size="h4" id="codes" mb="sm">
                    Enrollment codes
                  </Title>
                  <EnrollmentCodes blueprint={blueprint} />
                </Paper>
              )}
            </Stack>
          ) : (
            <Empty title="Blueprint not found">Someone may have removed it.</Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

function Change({ blueprint }: { blueprint: Blueprint }) {
  const [open, setOpen] = useState<'rename' | 'remove'>();
  const [name, setName] = useState(blueprint.name);
  const navigate = useNavigate();
  const close = () => setOpen(undefined);
  const params = { id: blueprint.id };
  const renamed = { params, body: { name: name.trim() } };
  const rename = useChange(
    'renameBlueprint',
    ['listBlueprints', 'listLibraryItems', 'getLibraryItem', 'listDevices'],
    close,
  );
  const remove = useChange('deleteBlueprint', ['listBlueprints'], () => void navigate({ to: '/blueprints' }));
  return (
    <>
      <Button variant="default" onClick={() => setOpen('rename')}>
        Rename
      </Button>
      <Button
        variant="default"
        onClick={() => setOpen('remove')}
        disabled={blueprint.devices > 0}
        title={blueprint.devices > 0 ? 'Move its devices to another blueprint first' : undefined}
      >
        Remove
      </Button>
      <ConfirmDialog
        opened={open === 'rename'}
        close={close}
        title="Rename the blueprint"
        confirmLabel="Rename"
        confirm={() => rename.mutate(renamed)}
        isBusy={rename.isPending}
        isOff={name.trim() === '' || name.trim() === blueprint.name}
        error={rename.error}
        command={curlLine('renameBlueprint', renamed)}
      >
        <TextInput
          label="Name"
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
      </ConfirmDialog>
      <ConfirmDialog
        opened={open === 'remove'}
        close={close}
        title={`Remove ${blueprint.name}?`}
        confirmLabel="Remove"
        isDangerous
        confirm={() => remove.mutate({ params })}
        isBusy={remove.isPending}
        error={remove.error}
        command={curlLine('deleteBlueprint', { params })}
      >
        <Text>It has no devices. Its enrollment codes stop working.</Text>
      </ConfirmDialog>
    </>
  );
}
