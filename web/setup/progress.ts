// Where the wizard stands and what its one button does: check what the step asks for, and go on.
import { useEffect, useState } from 'react';
import { useAnswering, type Answering, type Setup, type StepAnswer, type StepName } from './answers.ts';
import { useDraft, type Drafting } from './drafts.ts';
import { isMet } from './prerequisites.tsx';
import { FORMS, isChanged, valuesOf } from './step-fields.tsx';

export interface Progress {
  readonly step: StepName;
  readonly drafting: Drafting;
  readonly answering: Answering;
  readonly confirmed: readonly string[];
  readonly confirm: (id: string, isSo: boolean) => void;
  /** The answer that the fields make, if they are complete. */
  readonly body: StepAnswer | undefined;
  readonly isVerified: boolean;
  readonly isBusy: boolean;
  /** Of the one button: it checks what there is to check, and goes on. */
  readonly label: string;
  readonly canGoOn: boolean;
  readonly goOn: () => void;
  readonly warns: boolean;
  readonly dismissWarning: () => void;
  readonly goTo: (target: StepName) => void;
  readonly back: (() => void) | undefined;
}

export function useProgress(setup: Setup): Progress {
  const drafting = useDraft(setup.id);
  const answering = useAnswering(setup.id);
  // From the start: whoever continues the setup at what is missing is told of it, as who checked it was.
  const [warns, setWarns] = useState(true);
  // Also by somebody else.
  useEffect(() => {
    if (setup.checking) setWarns(true);
  }, [setup.checking]);
  const { answers, steps, step } = setup;
  const at = steps.findIndex((one) => one.step === step);
  const isVerified = steps[at]?.answered === true && !isChanged(step, answers, drafting.draft);
  const confirmed = confirmedOf(setup, drafting);
  const body = bodyOf(setup, drafting, confirmed);
  const following = steps[at + 1]?.step;
  const isLast = following === undefined || following === 'complete';
  const isBusy = answering.isPending || setup.checking;
  const areMet = setup.prerequisites.length > 0 && setup.prerequisites.every((one) => isMet(one, confirmed));

  const give = async (answer: StepAnswer): Promise<void> => {
    await answering.mutateAsync(answer);
    drafting.drop(answer.step === 'connect' ? ['confirmed'] : (FORMS[step]?.fields ?? []));
  };
  /** Errors are shown from the mutation; here they only end the chain. */
  const quietly = (work: () => Promise<void>) => void work().catch(() => undefined);

  const goTo = (target: StepName) =>
    quietly(async () => {
      setWarns(false);
      answering.reset();
      if (setup.step !== target) await answering.mutateAsync({ step: 'go_to', target });
    });
  const goOn = () =>
    quietly(async () => {
      if (isBusy || !body) return;
      setWarns(step === 'connect' || step === 'credentials');
      const isProven = isVerified && (step !== 'connect' || areMet);
      if (!isProven && step !== 'complete') {
        await give(body);
        // The prerequisites are looked at in the same go, as "Connect to Okta" says.
        if (step === 'credentials') {
          const connected = await answering.mutateAsync({ step: 'connect', confirmed: [] });
          // Who observes only has nothing more to say.
          if (connected.step === 'complete') await answering.mutateAsync({ step: 'complete' });
        }
      }
      if (isLast) await answering.mutateAsync({ step: 'complete' });
      else if (isProven) await answering.mutateAsync({ step: 'go_to', target: following });
    });

  const before = steps[at - 1]?.step;
  return {
    step,
    drafting: {
      ...drafting,
      set: (field, value) => {
        if (answering.isError) answering.reset();
        drafting.set(field, value);
      },
    },
    answering,
    confirmed,
    confirm: (id, isSo) =>
      drafting.set('confirmed', [...confirmed.filter((one) => one !== id), ...(isSo ? [id] : [])].join(' ')),
    body,
    isVerified,
    isBusy,
    label: labelOf(step, isLast, areMet),
    canGoOn: !isBusy && body !== undefined,
    goOn,
    warns,
    dismissWarning: () => setWarns(false),
    goTo,
    back: before === undefined ? undefined : () => goTo(before),
  };
}

function labelOf(step: StepName, isLast: boolean, areMet: boolean): string {
  if (step === 'connect' && !areMet) return 'Check again';
  if (isLast) return 'Finish setup';
  return { get_started: 'Get started', credentials: 'Connect to Okta' }[step as string] ?? 'Next';
}

function bodyOf(
  { step, answers }: Setup,
  { draft }: Drafting,
  confirmed: readonly string[],
): StepAnswer | undefined {
  if (step === 'connect')
    return { step, confirmed: confirmed as Extract<StepAnswer, { step: 'connect' }>['confirmed'] };
  const form = FORMS[step];
  return form ? form.read(valuesOf(step, answers, draft), answers) : ({ step } as StepAnswer);
}

function confirmedOf(setup: Setup, { draft }: Drafting): string[] {
  const typed = draft['confirmed'];
  if (typed !== undefined) return typed.split(' ').filter(Boolean);
  return setup.prerequisites.filter((one) => one.confirmed).map(({ id }) => id);
}
