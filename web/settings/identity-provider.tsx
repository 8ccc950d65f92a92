// The identity provider that people sign in through: how it is set, and what it must be told. Settings are the process's, not the page's.
import { Card, Code, Stack, Table, Text, Title } from '@mantine/core';
import { CopyValue } from '../components/copy-value.tsx';
import { Loaded } from '../components/page.tsx';
import { useApiQuery, type ResponseOf } from '../queries.ts';

type Provider = NonNullable<ResponseOf<'getIdentityProvider'>['provider']>;

export function ProviderCard() {
  const query = useApiQuery('getIdentityProvider', {});
  return (
    <Card withBorder>
      <Stack gap="sm">
        <Title order={2} size="h4">
          Identity provider
        </Title>
        <Loaded query={query}>
          {({ callbackUrl, provider }) => (
            <>
              {provider ? <Facts provider={provider} /> : <HowTo />}
              <CopyValue label="Redirect URI to register with the provider" value={callbackUrl} />
              <Text size="sm" c="dimmed">
                Local accounts work even when the provider is down. Exclude Odette from the app sign-in rule
                that requires managed devices.
              </Text>
            </>
          )}
        </Loaded>
      </Stack>
    </Card>
  );
}

function HowTo() {
  return (
    <Text size="sm">
      No identity provider is configured. Create a web application at your provider (OpenID Connect,
      authorization code), then start Odette with <Code>ODETTE_OIDC_ISSUER</Code>,{' '}
      <Code>ODETTE_OIDC_CLIENT_ID</Code>, <Code>ODETTE_OIDC_CLIENT_SECRET_FILE</Code> and the groups that give
      roles: <Code>ODETTE_OIDC_ADMINS</Code>, <Code>ODETTE_OIDC_OPERATORS</Code>,{' '}
      <Code>ODETTE_OIDC_VIEWERS</Code>.
    </Text>
  );
}

function Facts({ provider }: { provider: Provider }) {
  const { roles } = provider;
  const groups = (names: readonly string[]) => (names.length === 0 ? 'no group' : names.join(', '));
  const rows = [
    ['Issuer', provider.issuer],
    ['Client ID', provider.clientId],
    ['Scopes', provider.scopes],
    ['Role claim', provider.roleClaim],
    ['Admins', groups(roles.admin)],
    ['Operators', groups(roles.operator)],
    ['Viewers', groups(roles.viewer)],
  ];
  return (
    <Table layout="auto">
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row">{name}</Table.Th>
            <Table.Td className="break-anywhere">{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
