// Signing in through the identity provider, if there is one, or with a local account.
import { Alert, Button, Divider, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState, type SubmitEvent } from 'react';
import { PasswordField } from '../components/password-field.tsx';
import { failureCodeOf, ProblemAlert } from '../components/problem-alert.tsx';
import { useApiQuery, useChange } from '../queries.ts';
import { Remedy } from '../components/remedy.tsx';

export function SignInPage() {
  const { next, refused } = useSearch({ from: '/sign-in' });
  const firstRun = useApiQuery('getFirstRun', {});
  const ways = useApiQuery('getSignIn', { query: refused === undefined ? {} : { refused } });
  const provider = ways.data?.identityProvider;
  useEffect(() => {
    document.title = 'Sign in · Odette';
  }, []);
  return (
    <main className="narrow">
      <Stack px="md">
        <Title order={1} size="h2">
          Sign in to Odette
        </Title>
        {firstRun.data?.needed === true && (
          <Alert color="blue" title="Nobody can sign in yet">
            Open the link that Odette printed when it started. It creates the first admin: the address of this
            page followed by <b>/first-run#…</b>. It works for a day; Odette prints a new link at each start
            until someone uses one.
          </Alert>
        )}
        {ways.data?.refused && (
          <Alert color="red" title={ways.data.refused.title} role="alert">
            <Remedy text={ways.data.refused.remedy} />
          </Alert>
        )}
        {provider && (
          <>
            <Button
              component="a"
              href={next === undefined ? provider.path : `${provider.path}?next=${encodeURIComponent(next)}`}
            >
              Sign in with {provider.host}
            </Button>
            <Divider label="or with a local account" />
          </>
        )}
        <LocalSignIn next={next} isFirstChoice={!provider} />
        <Text size="sm" c="dimmed">
          Local accounts always work here, even when the identity provider is down.
        </Text>
      </Stack>
    </main>
  );
}

/** @param next the page to go to afterwards */
function LocalSignIn({ next, isFirstChoice }: { next: string | undefined; isFirstChoice: boolean }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState<string>();
  const signIn = useChange('signIn', [], (session) => {
    client.setQueryData(['getSession', {}, {}], session);
    void navigate({ to: next ?? '/', replace: true });
  });
  // Once asked for, the code has its field until the page is left.
  const isAskedForCode = code !== undefined || failureCodeOf(signIn.error) === 'people.code_needed';
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    signIn.mutate({ body: { name, password, ...(code !== undefined && { code }) } });
  };
  return (
    <Paper withBorder p="lg">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            autoComplete="username"
            required
            autoFocus={isFirstChoice}
          />
          <PasswordField
            label="Password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            autoComplete="current-password"
            required
          />
          {isAskedForCode && (
            <TextInput
              label="Code"
              description="Six digits of your authenticator app, or a recovery code"
              value={code ?? ''}
              onChange={(event) => setCode(event.currentTarget.value)}
              autoComplete="one-time-code"
              required
              autoFocus
            />
          )}
          {failureCodeOf(signIn.error) !== 'people.code_needed' && <ProblemAlert error={signIn.error} />}
          <Button
            type="submit"
            variant={isFirstChoice ? 'filled' : 'default'}
            loading={signIn.isPending}
            disabled={name === '' || password === '' || (isAskedForCode && !code)}
          >
            Sign in
          </Button>
        </Stack>
      </form>
    </Paper>
  );
}
