import { describe, expect, test } from 'vitest';
import { defaultSettings, parseEditSettings } from '../../../protocol/edit-settings.ts';
import { makeControlNetInfo } from '../../../protocol/testing/models.ts';
import {
  canAddControl,
  controlFault,
  netsToChoose,
  shownKinds,
  withControl,
  withControlChange,
  withoutControl,
} from './controls.ts';

const two = withControl(withControl([], 'canny'), 'tile');
const [sd, xl] = ['Stable Diffusion 1.x', 'Stable Diffusion XL'];
const nets = [
  makeControlNetInfo({ name: 'edges-xl', family: xl, kinds: ['canny'] }),
  makeControlNetInfo({ name: 'canny-sd', family: sd, kinds: ['canny'] }),
  makeControlNetInfo({ name: 'old', family: null, problem: 'It is a pickle.', kinds: ['tile'] }),
];

describe('the ControlNets of the form', () => {
  test('are added up to as many as an edit may have, changed one by one and removed', () => {
    const four = withControl(withControl(two, 'canny'), 'luma');
    expect([canAddControl(two), canAddControl(four), withControl(four, 'canny')]).toEqual([true, false, four]);
    const changed = withControlChange(two, 1, { net: 'old', scale: 0.5, guess: true });
    expect(changed).toEqual([two[0], { kind: 'tile', net: 'old', scale: 0.5, start: 0, end: 1, guess: true }]);
    expect(withControlChange(changed, 1, { net: null })[1]).not.toHaveProperty('net');
    expect(withControlChange(changed, 1, { guess: false })[1]).toMatchObject({ net: 'old' });
    expect(withoutControl(changed, 0)).toEqual([changed[1]]);
    expect(shownKinds(four)).toEqual(['canny', 'tile', 'luma']);
  });

  test.each([
    [{ start: 1 }, { start: 0.99, end: 1 }],
    [{ end: 0 }, { start: 0, end: 0.01 }],
    [
      { start: 0.5, end: 0.5 },
      { start: 0.49, end: 0.5 },
    ],
    [{ scale: 9 }, { scale: 2 }],
    [{ scale: -1 }, { scale: 0 }],
  ])('changed to %j are what the server accepts', (change, expected) => {
    const controls = withControlChange(two, 0, change);
    expect(controls[0]).toMatchObject(expected);
    const settings = { ...defaultSettings(), prompt: 'a wolf', controls };
    expect(parseEditSettings(settings)).toEqual(settings);
  });

  test('fit the family of the model, or say why they do not', () => {
    const offered = { nets, family: sd };
    expect(controlFault(offered, { kind: 'canny' })).toBeNull();
    expect(controlFault(offered, { kind: 'tile' })).toEqual({ name: 'none', family: sd });
    expect(controlFault(offered, { kind: 'own', net: 'canny-sd' })).toBeNull();
    expect(controlFault(offered, { kind: 'canny', net: 'edges-xl' })).toEqual({
      name: 'other-family',
      family: xl,
      wanted: sd,
    });
    expect(controlFault(offered, { kind: 'tile', net: 'old' })).toEqual({
      name: 'unusable',
      reason: 'It is a pickle.',
    });
    expect(controlFault(offered, { kind: 'tile', net: 'lost' })).toEqual({ name: 'gone' });
    expect(controlFault({ nets: null, family: sd }, { kind: 'tile', net: 'lost' })).toBeNull();
    expect(netsToChoose(offered).map(({ name }) => name)).toEqual(['canny-sd', 'edges-xl', 'old']);
  });
});
