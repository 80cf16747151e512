import { describe, expect, test } from 'vitest';
import { createPictureBudget } from './growing-picture.ts';

describe('the budget of pictures', () => {
  function createClock() {
    let ms = 0;
    return {
      now: () => ms,
      pass(more: number): void {
        ms += more;
      },
    };
  }

  test('has the first one at once, and the next one a second later at the earliest', async () => {
    const clock = createClock();
    const budget = createPictureBudget(clock.now);
    expect(budget.isDue).toBe(true);
    await budget.spend(() => Promise.resolve());
    clock.pass(999);
    expect(budget.isDue).toBe(false);
    clock.pass(1);
    expect(budget.isDue).toBe(true);
  });

  test('takes no more than two hundredths of the time', async () => {
    const clock = createClock();
    const budget = createPictureBudget(clock.now);
    const slow = (): Promise<void> => {
      clock.pass(500);
      return Promise.resolve();
    };
    await budget.spend(slow);
    clock.pass(24_000);
    expect(budget.isDue).toBe(false);
    clock.pass(1_000);
    expect(budget.isDue).toBe(true);
    let pictures = 0;
    while (clock.now() < 200_000) {
      if (budget.isDue) {
        await budget.spend(slow);
        pictures += 1;
      }
      clock.pass(1_000);
    }
    expect(pictures).toBeGreaterThan(4);
    expect(pictures).toBeLessThanOrEqual(8);
  });

  test('counts the time of a picture that failed', async () => {
    const clock = createClock();
    const budget = createPictureBudget(clock.now);
    const fails = () => {
      clock.pass(400);
      return Promise.reject(new Error('no picture'));
    };
    await expect(budget.spend(fails)).rejects.toThrow('no picture');
    clock.pass(10_000);
    expect(budget.isDue).toBe(false);
  });
});
