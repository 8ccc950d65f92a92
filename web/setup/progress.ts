// Where the wizard stands and what its buttons may do: which step is shown, whether it is verified, what comes before and after.
import { useEffect, useState } from 'react';
import { useAnswering, type Answering, type Setup, type StepAnswer, type StepName } from './answers.ts';
import { useDraft, type Drafting } from './drafts.ts';
import { isMet } from './prerequisites.tsx';
import { FORMS, isChanged, valuesOf } from './step-fields.tsx';

export interface Progress {
  readonly step: StepName;
  readonly guide: Setup['guide'];
  readonly drafting: Drafting;
  readonly answering: Answering;
  readonly confirmed: readonly string[];
  readonly confirm: (id: string, isSo: boolean) => void;
  /** The answer that the fields make, if they are complete. */
  readonly body: StepAnswer | undefined;
  readonly hasCheck: boolean;
  readonly isVerified: boolean;
  readonly isLast: boolean;
  readonly isBusy: boolean;
  readonly canNext: boolean;
  readonly warns: boolean;
  readonly dismissWarning: () => void;
  readonly check: () => void;
  readonly next: () => void;
  readonly goTo: (target: StepName) => void;
  readonly back: (() => void) | undefined;
}

export function useProgress(setup: Setup): Progress {
  const drafting = useDraft(setup.id);
  const answering = useAnswering(setup.id);
  // A verified step stays on the screen with what was found, though the setup has moved on, until Next is pressed.
  const [held, hold] = useState<Setup['guide']>();
  // From the start: whoever continues the setup at what is missing is told of it, as who checked it was.
  const [warns, setWarns] = useState(true);
  // Also by somebody else.
  useEffect(() => {
    if (setup.checking) setWarns(true);
  }, [setup.checking]);
  const guide = held ?? setup.guide;
  const { step } = guide;
  const form = FORMS[step];
  const { answers, steps } = setup;
  const at = steps.findIndex((one) => one.step === step);
  const isAnswered = steps[at]?.answered === true;
  const isVerified = isAnswered && !isChanged(step, answers, drafting.draft);
  const confirmed = confirmedOf(setup, drafting);
  const hasCheck = form?.checkLabel !== undefined || step === 'connect';
  const body: StepAnswer | undefined =
    step === 'connect'
      ? { step, confirmed: confirmed as Extract<StepAnswer, { step: 'connect' }>['confirmed'] }
      : form
        ? form.read(valuesOf(step, answers, drafting.draft), answers)
        : ({ step } as StepAnswer);
  const isLast = steps[at + 1]?.step === 'complete' || step === 'complete';
  const isBusy = answering.isPending || setup.checking;
  const areMet =
    step === 'connect' &&
    setup.prerequisites.length > 0 &&
    setup.prerequisites.every((one) => isMet(one, confirmed));

  const give = async (answer: StepAnswer): Promise<Setup> => {
    const after = await answering.mutateAsync(answer);
    drafting.drop(answer.step === 'connect' ? ['confirmed'] : (FORMS[step]?.fields ?? []));
    return after;
  };
  /** Errors are shown from the mutation; here they only end the chain. */
  const quietly = (work: () => Promise<void>) => void work().catch(() => undefined);

  const check = () =>
    quietly(async () => {
      if (!body) return;
      if (step === 'connect') {
        hold(guide);
        setWarns(true);
        await give(body);
        return;
      }
      await give(body);
      if (step === 'credentials') {
        hold(undefined);
        setWarns(true);
        await answering.mutateAsync({ step: 'connect', confirmed: [] });
      } else hold(guide);
    });
  const goTo = (target: StepName) =>
    quietly(async () => {
      hold(undefined);
      setWarns(false);
      answering.reset();
      if (setup.step !== target) await answering.mutateAsync({ step: 'go_to', target });
    });
  const next = () =>
    quietly(async () => {
      const needsAnswer = !isVerified;
      if (needsAnswer && body && step !== 'complete') await give(body);
      setWarns(false);
      const following = steps[at + 1]?.step;
      if (isLast) await answering.mutateAsync({ step: 'complete' });
      else if (!needsAnswer && following !== undefined && setup.step === step)
        await answering.mutateAsync({ step: 'go_to', target: following });
      hold(undefined);
    });

  const before = steps[at - 1]?.step;
  return {
    step,
    guide,
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
    hasCheck,
    isVerified,
    isLast,
    isBusy,
    canNext: !isBusy && (hasCheck ? isVerified || areMet : body !== undefined),
    warns,
    dismissWarning: () => setWarns(false),
    check,
    next,
    goTo,
    back: before === undefined ? undefined : () => goTo(before),
  };
}

function confirmedOf(setup: Setup, { draft }: Drafting): string[] {
  const typed = draft['confirmed'];
  if (typed !== undefined) return typed.split(' ').filter(Boolean);
  return setup.prerequisites.filter((one) => one.confirmed).map(({ id }) => id);
}
