// The wizard's step in the page's address, so that the browser's Back and Forward go one step each.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import type { Setup, StepName } from './answers.ts';

export function useStepInAddress({ id, step, steps }: Setup, goTo: (target: StepName) => void): void {
  const { step: addressed } = useSearch({ from: '/inside/setups/$setupId' });
  const navigate = useNavigate();
  /** The step that the address was last brought to: where the two differ, this tells which of them moved. */
  const brought = useRef<StepName>(undefined);
  useEffect(() => {
    if (addressed === step) {
      brought.current = step;
      return;
    }
    const at = steps.findIndex((one) => one.step === addressed);
    const reachable = steps.slice(0, at).every(({ answered }) => answered) ? steps[at] : undefined;
    const wasAddressMoved = brought.current === step;
    if (wasAddressMoved && reachable) goTo(reachable.step);
    else
      void navigate({
        to: '/setups/$setupId',
        params: { setupId: id },
        search: { step },
        // An address that names no step, or one that cannot be shown, is no place to come back to.
        replace: brought.current === undefined || wasAddressMoved,
      });
    brought.current = step;
    // Both may move by themselves; what goTo and navigate are made of does not matter.
  }, [addressed, step]);
}
