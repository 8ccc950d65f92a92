// The first-run link: makes the local break-glass admin. The token stands behind `#`, which no server and no log ever sees.
import { Alert, Button, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { PasswordField } from '../components/password-field.tsx';
import { AnchorLink } from '../components/links.tsx';
import { useEffect, useState, type SubmitEvent } from 'react';
import { fieldError, ProblemAlert } from '../components/problem-alert.tsx';
import { useApiQuery, useChange } from '../queries.ts';

export function FirstRunPage() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const firstRun = useApiQuery('getFirstRun', {});
  const [token] = useState(() => window.location.hash.slice(1));
  const [name, setName] = useState('admin');
  const [password, setPassword] = useState('');
  const finish = useChange('finishFirstRun', [], (session) => {
    client.setQueryData(['getSession', {}, {}], session);
    void navigate({ to: '/', replace: true });
  });
  useEffect(() => {
    document.title = 'First admin · Odette';
  }, []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    finish.mutate({ body: { token, name, password } });
  };
  return (
    <main className="narrow">
      <Stack px="md">
        <Title order={1} size="h2">
          Welcome to Odette
        </Title>
        <Text>
          Create the first admin. This local account works even when Okta or your identity provider is down.
          Keep its password in a safe place.
        </Text>
        {firstRun.data?.needed === false && (
          <Alert color="blue" title="An admin already exists">
            <AnchorLink to="/sign-in">Sign in</AnchorLink> instead.
          </Alert>
        )}
        {token === '' && (
          <Alert color="yellow" title="The link is not complete">
            The link ends in # and a long text. Copy all of it from the output of Odette.
          </Alert>
        )}
        <Paper withBorder p="lg">
          <form onSubmit={submit}>
            <Stack>
              <TextInput
                label="Name"
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                error={fieldError(finish.error, 'name')}
                autoComplete="username"
                required
              />
              <PasswordField
                label="Password"
                description="At least 12 characters"
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                error={fieldError(finish.error, 'password')}
                autoComplete="new-password"
                required
                autoFocus
              />
              <ProblemAlert error={finish.error} exceptFields={['name', 'password']} />
              <Button
                type="submit"
                loading={finish.isPending}
                disabled={token === '' || name === '' || password.length < 12}
              >
                Create the first admin
              </Button>
            </Stack>
          </form>
        </Paper>
      </Stack>
    </main>
  );
}
