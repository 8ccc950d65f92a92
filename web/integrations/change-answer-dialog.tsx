// One answer of the wizard given again, with the same check; what is pushed again, and to how many devices, is said before.
import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../client.ts';
import { curlLine } from '../curl-line.ts';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Loaded } from '../components/page.tsx';
import { consequencesOf, useImpact } from '../setup/consequence.tsx';
import { FORMS, valuesOf } from '../setup/step-fields.tsx';
import { SECRET_FIELDS, type Draft } from '../setup/drafts.ts';
import type { Answers, StepAnswer } from '../setup/answers.ts';
import type { Integration } from './integration.ts';

export type ChangeableStep = 'credentials' | 'macos' | 'ios';

const TITLES: Readonly<Record<ChangeableStep, string>> = {
  credentials: 'Change the credentials',
  macos: 'Change the macOS platform',
  ios: 'Change the iOS platform',
};
export function ChangeAnswerDialog({
  step,
  integration,
  close,
}: {
  step: ChangeableStep;
  integration: Integration;
  close: () => void;
}) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft>({});
  const answers = answersOf(integration);
  const form = FORMS[step];
  const impact = useImpact(integration.id);
  const body = form?.read(valuesOf(step, answers, draft), answers);
  const given = { params: { id: integration.id }, ...(body ? { body } : {}) };
  const change = useMutation({
    mutationFn: (body: StepAnswer) => call('answerIntegration', { params: { id: integration.id }, body }),
    onSuccess: async () => {
      notifications.show({ message: 'Checked and saved.', color: 'green' });
      close();
      await client.invalidateQueries({ queryKey: ['getIntegration'] });
      await client.invalidateQueries({ queryKey: ['listIntegrations'] });
    },
  });
  if (!form) return null;
  return (
    <ConfirmDialog
      opened
      close={close}
      title={TITLES[step]}
      confirmLabel="Check and save"
      confirm={() => body && change.mutate(body)}
      isBusy={change.isPending}
      isOff={!body || !impact.data}
      error={change.error}
      command={body && curlLine('answerIntegration', { ...given, body: masked(body) })}
    >
      <Loaded query={impact} lines={2}>
        {(counts) =>
          consequencesOf({ step, answers, draft }, integration, counts).map((text) => (
            <Text size="sm" key={text}>
              {text}
            </Text>
          ))
        }
      </Loaded>
      <form.Fields
        answers={answers}
        draft={draft}
        set={(field, value) => setDraft((before) => ({ ...before, [field]: value }))}
        error={change.error}
      />
    </ConfirmDialog>
  );
}

const masked = (body: StepAnswer): StepAnswer =>
  Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, SECRET_FIELDS.includes(name) ? '…' : value]),
  ) as StepAnswer;

/** The integration in the words of the wizard's answers. */
function answersOf({ host, credentialsKind, clientId, credentials, macOS, iOS }: Integration): Answers {
  return {
    domain: host,
    credentialsKind,
    clientId,
    clientSecret: credentials ?? undefined,
    scepUrl: macOS?.scepUrl,
    challengeUrl: macOS?.challengeUrl,
    username: macOS?.username,
    password: macOS?.password ?? undefined,
    secretKey: iOS?.secretKey ?? undefined,
    providerName: iOS?.providerName,
  };
}
