// The last look before saving: devices, licenses, users who will be asked, what is in order, and a test blueprint first.
import { Alert, Button, Group, List, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { call, receive } from '../client.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { StateMark } from '../components/device-labels.tsx';
import { Loaded } from '../components/page.tsx';
import { ProblemAlert } from '../components/problem-alert.tsx';
import { Remedy } from '../components/remedy.tsx';
import { WavesText } from '../fleet-rollouts/waves-text.tsx';
import { countText, deviceTitle, plural } from '../labels.ts';
import { saveBodyOf, type Item, type ItemDraft } from './item-draft.ts';
import { RemovalText } from './removal-text.tsx';
import { usePreview, type Preview } from './preview-query.ts';
import { saveLine } from './save-line.ts';
import { sentText } from './sent-text.ts';

interface SaveDialogProps {
  readonly draft: ItemDraft;
  readonly integrationId: string;
  readonly item: Item | undefined;
  /** Of the version that the draft was loaded from. */
  readonly etag: string | null;
  /** Somebody else saved meanwhile: said instead of saving over it. */
  readonly outdated: ReactNode;
  readonly change: (change: Partial<ItemDraft>) => void;
  readonly saved: (version: { item: Item; etag: string | null }) => void;
  readonly close: () => void;
}

export function SaveDialog(props: SaveDialogProps) {
  const { draft, integrationId, item, etag, outdated, change, saved, close } = props;
  const client = useQueryClient();
  const body = saveBodyOf(draft, integrationId);
  // What the admin confirms below changes no number.
  const preview = usePreview({ ...body, confirmPolicyIsLifted: false }, item?.id, true);
  const save = useMutation({
    mutationFn: () =>
      item === undefined
        ? receive('createLibraryItem', { body })
        : receive('saveLibraryItem', { params: { id: item.id }, body, ifMatch: etag ?? undefined }),
    onSuccess: async ({ body: after, etag: newEtag }) => {
      notifications.show({ message: 'Saved. Odette has started the rollouts.', color: 'green' });
      saved({ item: after, etag: newEtag });
      close();
      await client.invalidateQueries();
    },
  });
  // The live event of one's own save may come before its answer.
  const isOutdated = outdated !== undefined && !save.isPending;
  return (
    <ConfirmDialog
      opened
      close={close}
      title="Save Okta Verify"
      confirmLabel="Save"
      confirm={() => save.mutate()}
      isBusy={save.isPending}
      isOff={!preview.data || preview.isPlaceholderData || isOutdated || isLockout(preview.data, draft)}
      error={save.error}
      command={saveLine(draft, integrationId, item)}
    >
      {isOutdated && outdated}
      <Loaded query={preview} lines={5}>
        {(found) => (
          <Stack gap="sm">
            <PreviewList preview={found} isOn={draft.deviceTrustOn} />
            <WavesText waves={found.waves} />
            {found.leaving > 0 && (
              <RemovalText
                preview={found}
                removesApp={draft.removeAppOnRemoval}
                lifted={{ value: draft.policyIsLifted, set: (policyIsLifted) => change({ policyIsLifted }) }}
              />
            )}
            {found.testBlueprint && draft.deviceTrustOn && (
              <TestBlueprint proposal={found.testBlueprint} choose={(id) => change({ blueprintIds: [id] })} />
            )}
          </Stack>
        )}
      </Loaded>
    </ConfirmDialog>
  );
}

const isLockout = ({ usersLosingTrustTotal }: Preview, { policyIsLifted }: ItemDraft): boolean =>
  usersLosingTrustTotal > 0 && !policyIsLifted;

function PreviewList({ preview, isOn }: { preview: Preview; isOn: boolean }) {
  const { licenses, usersAsked, pushCertificate, appsAndBooksToken } = preview;
  const isShort = licenses.left !== null && licenses.left < licenses.needed;
  return (
    <Stack gap={6}>
      <Text fw={600}>{sentText(preview, isOn)}</Text>
      {isOn && (
        <List size="sm" listStyleType="none" spacing={6}>
          <Line isOk={!isShort}>
            Okta Verify licenses: {countText(licenses.needed)} needed,{' '}
            {licenses.left === null ? 'the number available is unknown' : `${countText(licenses.left)} left`}
            {isShort && '. Get more in Apple Business Manager (free of charge). Devices wait until then.'}
          </Line>
          <Line isOk>
            {usersAsked === 0
              ? 'Users see no prompt.'
              : `${plural(usersAsked, 'user')} of unsupervised iPhones and iPads must accept the app.`}
          </Line>
          {pushCertificate && (
            <Line isOk={pushCertificate.ok}>
              Push certificate: <AccessText {...pushCertificate} />
            </Line>
          )}
          {appsAndBooksToken && (
            <Line isOk={appsAndBooksToken.ok}>
              Apps and Books token: <AccessText {...appsAndBooksToken} />
            </Line>
          )}
        </List>
      )}
    </Stack>
  );
}

function AccessText({ ok, text, failure }: NonNullable<Preview['pushCertificate']>) {
  return ok ? 'valid' : <Remedy text={`${text ?? 'not valid'} ${failure?.remedy ?? ''}`} />;
}

function Line({ isOk, children }: { isOk: boolean; children: ReactNode }) {
  return (
    <List.Item icon={<StateMark state={isOk ? 'passed' : 'failed'} />}>
      <Text size="sm">{children}</Text>
    </List.Item>
  );
}

function TestBlueprint({
  proposal,
  choose,
}: {
  proposal: NonNullable<Preview['testBlueprint']>;
  choose: (blueprintId: string) => void;
}) {
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () =>
      call('createBlueprint', {
        body: { name: proposal.name, deviceIds: proposal.suggestedDevices.map(({ id }) => id) },
      }),
    onSuccess: async ({ id }) => {
      await client.invalidateQueries({ queryKey: ['listBlueprints'] });
      choose(id);
    },
  });
  const names = proposal.suggestedDevices.map((device) => deviceTitle({ ...device, serialNumber: null }));
  return (
    <Alert color="blue" title="Try it on a few devices first?">
      <Text size="sm">{proposal.reason}</Text>
      {names.length > 0 && (
        <Text size="sm" className="break-anywhere">
          “{proposal.name}” would hold {names.join(', ')}. Odette moves the devices there immediately, before
          you save.
        </Text>
      )}
      <ProblemAlert error={make.error} />
      <Group mt="xs">
        <Button size="xs" variant="default" loading={make.isPending} onClick={() => make.mutate()}>
          Create it and assign only that one
        </Button>
      </Group>
    </Alert>
  );
}
