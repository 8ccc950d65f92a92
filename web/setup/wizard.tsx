// One step of the wizard at a time: what to do in Okta, what to enter, Check, Back and Next.
import {
  Alert,
  Button,
  Divider,
  Group,
  Paper,
  Progress as Bar,
  Stack,
  Stepper,
  Text,
  Title,
} from '@mantine/core';
import { useEffect, useRef } from 'react';
import { ApiProblem } from '../client.ts';
import { curlLine } from '../curl-line.ts';
import { CommandLine } from '../components/command-line.tsx';
import { isAtFields, ProblemAlert } from '../components/problem-alert.tsx';
import type { Setup, StepAnswer } from './answers.ts';
import { Consequences } from './consequence.tsx';
import { SECRET_FIELDS } from './drafts.ts';
import { MissingDialog, Prerequisites } from './prerequisites.tsx';
import { useProgress, type Progress } from './progress.ts';
import { useStepInAddress } from './step-in-address.ts';
import { FORMS } from './step-fields.tsx';
import { StepGuide } from './step-guide.tsx';

export function Wizard({ setup }: { setup: Setup }) {
  const progress = useProgress(setup);
  const { step } = progress;
  const { steps } = setup;
  useStepInAddress(setup, progress.goTo);
  const at = steps.findIndex((one) => one.step === step);
  return (
    <Group align="flex-start" wrap="nowrap" gap="xl">
      <Stepper
        visibleFrom="md"
        orientation="vertical"
        size="sm"
        active={at}
        onStepClick={(index) => {
          const target = steps[index]?.step;
          if (target !== undefined && target !== step) progress.goTo(target);
        }}
        w={260}
      >
        {steps.map(({ step: name, title, answered }, index) => (
          <Stepper.Step
            key={name}
            label={title}
            allowStepSelect={!progress.isBusy && (answered || steps[index - 1]?.answered === true)}
            completedIcon={answered ? undefined : <span>{index + 1}</span>}
          />
        ))}
      </Stepper>
      <Stack flex={1} miw={0}>
        <div>
          <Text size="sm" c="dimmed">
            Step {at + 1} of {steps.length}
          </Text>
          <Bar value={((at + 1) / steps.length) * 100} hiddenFrom="md" aria-hidden="true" mt={4} />
        </div>
        <StepPanel key={step} setup={setup} progress={progress} />
      </Stack>
    </Group>
  );
}

function StepPanel({ setup, progress }: { setup: Setup; progress: Progress }) {
  const { step, drafting, answering, isVerified, isBusy } = progress;
  const { guide } = setup;
  const form = FORMS[step];
  const heading = useRef<HTMLHeadingElement>(null);
  // Screen readers hear the new step; the first field is one Tab away.
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const error = shownError(answering.error, step);
  const verified = isVerified ? verifiedText(setup, step) : undefined;
  const command =
    progress.body && curlLine('answerSetup', { params: { id: setup.id }, body: masked(progress.body) });
  return (
    <Paper withBorder p="lg">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          progress.goOn();
        }}
      >
        <Stack>
          <Title order={2} size="h3" tabIndex={-1} ref={heading} style={{ outline: 'none' }}>
            {guide.title}
          </Title>
          <StepGuide guide={guide} />
          {form && (
            <form.Fields
              answers={setup.answers}
              draft={drafting.draft}
              set={drafting.set}
              error={answering.error}
            />
          )}
          {setup.amends && setup.integrationId !== undefined && (
            <Consequences
              integrationId={setup.integrationId}
              step={step}
              answers={setup.answers}
              draft={drafting.draft}
            />
          )}
          {step === 'connect' && (
            <Prerequisites
              list={setup.prerequisites}
              confirmed={progress.confirmed}
              confirm={progress.confirm}
            />
          )}
          <div aria-live="polite">
            {verified !== undefined && (
              <Alert color="green" title="Verified">
                {verified}
              </Alert>
            )}
            {isBusy && <Text c="dimmed">Checking… You can leave this page; the check continues.</Text>}
          </div>
          {!isAtFields(error, form?.fields ?? []) && <ProblemAlert error={error} />}
          <Divider />
          <Group justify="space-between">
            <Button variant="default" onClick={progress.back} disabled={!progress.back || isBusy}>
              Back
            </Button>
            <Button type="submit" disabled={!progress.canGoOn} loading={isBusy}>
              {progress.label}
            </Button>
          </Group>
          {command !== undefined && <CommandLine command={command} />}
        </Stack>
      </form>
      <MissingDialog
        opened={progress.warns && !isBusy && step === 'connect'}
        close={progress.dismissWarning}
        checkAgain={progress.goOn}
        isChecking={isBusy}
        list={setup.prerequisites}
        command={command}
      />
    </Paper>
  );
}

/** The list of prerequisites says it better than the problem that sums it up. */
const shownError = (error: unknown, step: string): unknown =>
  step === 'connect' && error instanceof ApiProblem && error.problem.code === 'setup.prerequisites_missing'
    ? undefined
    : error;

/** Undefined: nothing was looked up at this step. */
function verifiedText(setup: Setup, step: string): string | undefined {
  const { tenant } = setup;
  if (step === 'okta_domain' && tenant)
    return `${tenant.host} is an Okta tenant on ${tenant.pipeline === 'idx' ? 'Identity Engine' : 'Classic Engine'}${
      tenant.customDomain === undefined ? '' : `, with the custom domain ${tenant.customDomain}`
    }.`;
  if (step === 'macos') return 'The SCEP URL responds, and the challenge URL returned a challenge.';
  if (step === 'credentials') return 'Okta accepted these credentials.';
  return step === 'connect' ? 'All prerequisites are met.' : undefined;
}

const masked = (body: StepAnswer): StepAnswer =>
  Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, SECRET_FIELDS.includes(name) ? '…' : value]),
  ) as StepAnswer;
