// What happens to devices that leave: what goes and when, what stays, how to undo it, who is managed only through them.
import { Alert, List, Text } from '@mantine/core';
import { countText, plural } from '../labels.ts';
import { PolicyLiftedBox, type PolicyLifted } from '../components/policy-lifted.tsx';
import type { Preview } from './preview-query.ts';

const SHOWN_USERS = 20;

export function RemovalText({
  preview,
  removesApp,
  lifted,
}: {
  preview: Preview;
  removesApp: boolean;
  /** The admin's word that Okta's policy no longer demands managed devices of these users. */
  lifted: PolicyLifted;
}) {
  const { leaving, removalStartsInMinutes: minutes, usersLosingTrust, usersLosingTrustTotal } = preview;
  if (leaving === 0) return <Text>No device is affected.</Text>;
  const after = minutes === null || minutes === 0 ? 'at once' : `${plural(minutes, 'minute')} after saving`;
  return (
    <>
      <List size="sm" spacing={4}>
        <List.Item>
          <b>Removed</b>, {after}: the profiles and the app configuration of Odette on{' '}
          {plural(leaving, 'device')}; their certificates go with the profiles. The item&apos;s own app
          configuration comes back.
        </List.Item>
        <List.Item>
          <b>Kept</b>:{' '}
          {removesApp
            ? 'nothing of Okta Verify: the app is removed too, and with it each user’s FastPass.'
            : 'the Okta Verify app and its license, and with it each user’s FastPass.'}
        </List.Item>
        <List.Item>
          <b>To undo</b>: turn it on or assign it again
          {minutes === null || minutes === 0
            ? '; Odette then delivers everything again.'
            : ' before then, and Odette removes nothing; later, Odette delivers everything again.'}
        </List.Item>
      </List>
      {usersLosingTrust.length > 0 && (
        <Alert
          color="orange"
          title={`${plural(usersLosingTrustTotal, 'user')} managed in Okta only through these devices`}
        >
          <Text size="sm" className="break-anywhere">
            {usersLosingTrust.slice(0, SHOWN_USERS).join(', ')}
            {usersLosingTrustTotal > SHOWN_USERS &&
              ` and ${countText(usersLosingTrustTotal - SHOWN_USERS)} more`}
          </Text>
          <PolicyLiftedBox lifted={lifted} />
        </Alert>
      )}
    </>
  );
}
