// Large messages take turns: whoever waits for the event loop has it in between.
import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('between two large messages everybody else has the event loop, and a failed one passes its turn on', async () => {
  const turns = new Turns();
  let rounds = 0;
  let next: NodeJS.Immediate;
  const turnAround = () => {
    rounds += 1;
    next = setImmediate(turnAround);
  };
  next = setImmediate(turnAround);
  const order: string[] = [];
  const seen: number[] = [];
  const read = (name: string) =>
    turns.take(() => {
      order.push(name);
      seen.push(rounds);
      if (name === 'unreadable') throw new Error(name);
      return name;
    });
  const all = [read('one'), read('unreadable'), read('three')].map((each) =>
    each.catch((error: unknown) => String(error)),
  );
  expect(await Promise.all(all)).toEqual(['one', 'Error: unreadable', 'three']);
  clearImmediate(next);
  expect(order).toEqual(['one', 'unreadable', 'three']);
  const [first = 0, second = 0, third = 0] = seen;
  expect([second > first, third > second]).toEqual([true, true]);
});
