// Guesses are counted for address and name apart.
import { expect, test } from 'vitest';
import { SignInAttempts } from './sign-in-attempts.ts';

const wrong = () => Promise.reject(new Error('wrong'));
const right = () => Promise.resolve('in');
/** How many of so many guesses were looked at. */
async function guess(
  attempts: SignInAttempts,
  count: number,
  by: (turn: number) => [string, string],
): Promise<number> {
  let seen = 0;
  for (let turn = 0; turn < count; turn += 1)
    await attempts.admit(...by(turn), wrong).catch((error: Error) => {
      if (error.message === 'wrong') seen += 1;
    });
  return seen;
}

test('failures at one name count from one address, from everywhere, and of one address for every name', async () => {
  expect(await guess(new SignInAttempts(), 20, () => ['192.0.2.1', 'ada'])).toBe(6);
  expect(await guess(new SignInAttempts(), 120, (turn) => [`192.0.2.${turn}`, 'ada'])).toBe(100);
  expect(await guess(new SignInAttempts(), 50, (turn) => ['192.0.2.1', `name ${turn}`])).toBe(30);
});

test('successes do not count, and guesses made at once do', async () => {
  const attempts = new SignInAttempts();
  for (let turn = 0; turn < 200; turn += 1)
    expect(await attempts.admit('192.0.2.1', 'ada', right)).toBe('in');
  let seen = 0;
  const slow = async () => {
    seen += 1;
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('wrong');
  };
  const guesses = Array.from({ length: 50 }, () => attempts.admit('192.0.2.1', 'ada', slow));
  expect((await Promise.allSettled(guesses)).every(({ status }) => status === 'rejected')).toBe(true);
  expect(seen).toBe(6);
});

test('who guessed from one address keeps nobody out at another', async () => {
  const attempts = new SignInAttempts();
  await guess(attempts, 20, () => ['192.0.2.66', 'ada']);
  await expect(attempts.admit('192.0.2.66', 'ada', right)).rejects.toMatchObject({
    code: 'request.too_many',
  });
  expect(await attempts.admit('192.0.2.1', 'ada', right)).toBe('in');
});
