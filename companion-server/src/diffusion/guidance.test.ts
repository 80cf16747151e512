import { expect, it } from 'vitest';
import { tensor } from '../tensor/tensor.ts';
import { guide } from './guidance.ts';

const negative = tensor([1, 3], Float32Array.of(1, -2, 0.5));
const target = tensor([1, 3], Float32Array.of(2, -2, -0.5));

it('scale 1 is the prompt alone, 0 the negative prompt alone', () => {
  expect(guide(negative, target, 1)).toEqual(target);
  expect(guide(negative, target, 0).data).toEqual(negative.data);
});

it('a larger scale goes on in the direction from the negative prompt to the prompt', () => {
  expect([...guide(negative, target, 7.5).data]).toEqual([8.5, -2, -7]);
});

it('equal predictions stay as they are at any scale', () => {
  expect(guide(target, target, 7.5).data).toEqual(target.data);
});

it('refuses predictions of different shapes', () => {
  expect(() => guide(negative, tensor([3, 1]), 2)).toThrow('dims [1, 3] and [3, 1] must be equal');
});
