import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

/** Work that ends when it is told to, and notes what happens. */
function createWork() {
  const events: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => () => {
    events.push(`${name} begins`);
    return new Promise<string>((resolve) => {
      ends.set(name, () => {
        events.push(`${name} ends`);
        resolve(name);
      });
    });
  };
  return { events, work, end: (name: string) => ends.get(name)?.() };
}

test('work begins when the work before it is over, and returns what it returns', async () => {
  const { events, work, end } = createWork();
  const turns = createTurns();
  const first = turns.take(work('a'));
  const second = turns.take(work('b'));
  expect(events).toEqual([]);
  await Promise.resolve();
  expect(events).toEqual(['a begins']);
  end('a');
  expect(await first).toBe('a');
  expect(events).toEqual(['a begins', 'a ends', 'b begins']);
  end('b');
  expect(await second).toBe('b');
});

test('work that fails, at once or later, holds up nobody', async () => {
  const turns = createTurns();
  const failed = [
    turns.take(() => {
      throw new Error('at once');
    }),
    turns.take(() => Promise.reject(new Error('later'))),
  ];
  const next = turns.take(() => 'next');
  expect(await Promise.allSettled([...failed, next])).toMatchObject([
    { reason: { message: 'at once' } },
    { reason: { message: 'later' } },
    { value: 'next' },
  ]);
});

test('so many pieces of work run at once as were allowed, in the order in which they came', async () => {
  const { events, work, end } = createWork();
  const turns = createTurns(2);
  const [, second, third] = ['a', 'b', 'c', 'd'].map((name) => turns.take(work(name)));
  await Promise.resolve();
  expect(events).toEqual(['a begins', 'b begins']);
  end('b');
  await second;
  void turns.take(work('e'));
  end('c');
  await third;
  expect(events).toEqual(['a begins', 'b begins', 'b ends', 'c begins', 'c ends', 'd begins']);
});

test('the end of all that was given so far can be waited for, also where work fails', async () => {
  const events: string[] = [];
  const turns = createTurns();
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const failed = turns.take(() => Promise.reject(new Error('fails')));
  void turns.take(() => gate);
  expect(turns.size).toBe(2);
  const over = turns.over().then(() => events.push('over'));
  await expect(failed).rejects.toThrow('fails');
  expect(turns.size).toBe(1);
  events.push('open');
  open();
  await over;
  expect(events).toEqual(['open', 'over']);
  expect(turns.size).toBe(0);
});
