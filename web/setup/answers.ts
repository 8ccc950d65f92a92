// Giving an answer to the wizard, and waiting for its check however long it takes.
import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { receive, receiveAt, type ResponseOf, type Body } from '../client.ts';

export type Setup = ResponseOf<'getSetup'>;
export type StepName = Setup['step'];
export type StepAnswer = Body<'answerSetup'>;
export type Answers = Setup['answers'];

const POLL_MS = 1_000;

/** @throws ApiProblem as the check ends with */
async function answerSetup(setupId: string, body: StepAnswer): Promise<Setup> {
  let received = await receive('answerSetup', { params: { id: setupId }, body });
  while (received.status === 202 && received.location !== null) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    received = { ...(await receiveAt<Setup>(received.location)), location: received.location };
  }
  return received.body as Setup;
}

export type Answering = UseMutationResult<Setup, Error, StepAnswer>;

export function useAnswering(setupId: string): Answering {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: StepAnswer) => answerSetup(setupId, body),
    onSuccess: (setup) => client.setQueryData(['getSetup', { id: setupId }, {}], setup),
    // A refused answer may still have shown something, e.g. the list of prerequisites.
    onSettled: () => client.invalidateQueries({ queryKey: ['getSetup'] }),
  });
}
