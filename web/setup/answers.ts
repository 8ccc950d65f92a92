// Giving an answer to the wizard, and waiting for its check however long it takes.
import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { call, type ResponseOf, type Body } from '../client.ts';

export type Setup = ResponseOf<'getSetup'>;
export type StepName = Setup['step'];
export type StepAnswer = Body<'answerSetup'>;
export type Answers = Setup['answers'];

export type Answering = UseMutationResult<Setup, Error, StepAnswer>;

export function useAnswering(setupId: string): Answering {
  const client = useQueryClient();
  return useMutation({
    // A response of 202 and one of 200 have the same content.
    mutationFn: async (body: StepAnswer) =>
      (await call('answerSetup', { params: { id: setupId }, body })) as Setup,
    onSuccess: (setup) => client.setQueryData(['getSetup', { id: setupId }, {}], setup),
    // A refused answer may still have shown something, e.g. the list of prerequisites.
    onSettled: () => client.invalidateQueries({ queryKey: ['getSetup'] }),
  });
}
