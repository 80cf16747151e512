// The demo's world: a shaded ball rolls over a meadow while the camera pans. Everything is a function of a point and
// the time, so that where each point goes is known exactly. Coordinates: x right, y down, -1..1 over the picture.

import { fractalNoise } from './noise.ts';

export type Colour = readonly [red: number, green: number, blue: number];

/** What a point of the picture belongs to. Each layer moves as one law says. */
export type Layer = 'sky' | 'hill' | 'ground' | 'ball' | 'post';

export interface SceneOptions {
  /** Fast motion and a post between ball and camera. */
  readonly hard: boolean;
  /** Length of the clip in frames; the ball crosses the picture once in that time. */
  readonly frames: number;
}

/** Everything that changes with time. */
export interface Moment {
  readonly ballX: number;
  readonly ballY: number;
  /** How far the camera has turned, in units of the far ground. */
  readonly pan: number;
}

const horizon = -0.15;
const ballRadius = 0.46;
const light = normalise([-0.45, -0.62, 0.62]);
const ballColour: Colour = [0.86, 0.07, 0.07];
const postHalfWidth = 0.09;
/** How much of the camera's turn each layer at one distance shows. */
const skyParallax = 0.15;
const hillParallax = 0.35;
const postParallax = 6;
const groundDepth = 0.175;

export function momentAt(frame: number, { hard, frames }: SceneOptions): Moment {
  const t = frames > 1 ? frame / (frames - 1) : 0;
  const speed = hard ? 2.4 : 1;
  return {
    ballX: (hard ? 0.42 : 0.24) * -Math.cos(Math.PI * t * speed),
    ballY: 0.2 - (hard ? 0.16 : 0.05) * Math.abs(Math.sin(2 * Math.PI * t * speed)),
    pan: 0.14 * t * speed,
  };
}

export function layerAt(x: number, y: number, moment: Moment, { hard }: SceneOptions): Layer {
  if (hard && Math.abs(x - postX(moment)) < postHalfWidth) return 'post';
  if (Math.hypot(x - moment.ballX, y - moment.ballY) < ballRadius) return 'ball';
  if (y >= horizon) return 'ground';
  return y >= hillTop(x, moment) ? 'hill' : 'sky';
}

/** Where the point (x, y) of `layer` at `from` is at `to`. Exact. */
export function follow(layer: Layer, x: number, y: number, from: Moment, to: Moment): { x: number; y: number } {
  const turned = to.pan - from.pan;
  switch (layer) {
    case 'ball':
      return { x: x + to.ballX - from.ballX, y: y + to.ballY - from.ballY };
    case 'ground':
      return { x: x - (turned * groundNearness(y)) / groundDepth, y };
    case 'hill':
      return { x: x - turned * hillParallax, y };
    case 'sky':
      return { x: x - turned * skyParallax, y };
    case 'post':
      return { x: x - turned * postParallax, y };
  }
}

/** Linear mixing of display values, 0..1 and slightly beyond. */
export function colourAt(x: number, y: number, layer: Layer, moment: Moment): Colour {
  switch (layer) {
    case 'ball':
      return shadeBall((x - moment.ballX) / ballRadius, (y - moment.ballY) / ballRadius);
    case 'ground':
      return scale(grass(x, y, moment), 1 - shadowAt(x, y, moment));
    case 'hill':
      return mix([0.2, 0.42, 0.25], [0.36, 0.55, 0.3], (y - hillTop(x, moment)) / 0.2);
    case 'sky':
      return sky(x, y, moment);
    case 'post':
      return bark(x - postX(moment), y);
  }
}

/** How much light the ball keeps from the ground at a point, 0..1. It moves with the ball, not with the ground. */
export function shadowAt(x: number, y: number, moment: Moment): number {
  const dx = (x - moment.ballX - 0.16 * ballRadius) / (1.15 * ballRadius);
  const dy = (y - 0.2 - 0.98 * ballRadius) / (0.26 * ballRadius);
  return 0.6 * Math.exp(-1.1 * (dx * dx + dy * dy));
}

function postX(moment: Moment): number {
  return 0.95 - moment.pan * postParallax;
}

function hillTop(x: number, moment: Moment): number {
  return horizon - 0.1 - 0.07 * fractalNoise((x + moment.pan * hillParallax) * 2.2, 5, 11, 3);
}

/** 0 at the horizon, about 1 at the lower edge. */
function groundNearness(y: number): number {
  return Math.max(y - horizon, 0.004);
}

function sky(x: number, y: number, moment: Moment): Colour {
  const height = (y + 1) / (horizon + 1);
  const cloud = fractalNoise((x + moment.pan * skyParallax) * 1.7 + 6, y * 3, 21, 4) * 0.9 + 0.05;
  const blue = mix([0.24, 0.49, 0.86], [0.74, 0.87, 0.96], height);
  return mix(blue, [1, 1, 1], Math.min(Math.max(cloud, 0), 1) * Math.min(2.2 - 2 * height, 1) * 0.9);
}

function grass(x: number, y: number, moment: Moment): Colour {
  const nearness = groundNearness(y);
  const depth = groundDepth / nearness;
  // World coordinates of the ground point, in blades of grass.
  const [u, v] = [(x * depth + moment.pan) * 46, depth * 46];
  const blades = fractalNoise(u * 1.3, v * 0.6, 31, 3);
  const patches = fractalNoise(u * 0.22, v * 0.22, 41, 2);
  const visible = Math.min(nearness * 2.2, 1);
  const base = mix([0.42, 0.62, 0.24], [0.16, 0.42, 0.09], (nearness / (1 - horizon)) * 1.1);
  const dry = Math.max(patches, 0) * 0.06;
  const lit = scale(base, 1 + 0.14 * patches + 0.3 * blades * visible);
  return [lit[0] + dry, lit[1] + dry * 0.6, lit[2]];
}

/** `x`, `y`: -1..1 over the ball. */
function shadeBall(x: number, y: number): Colour {
  const z = Math.sqrt(Math.max(1 - x * x - y * y, 0));
  const lambert = Math.max(x * light[0] + y * light[1] + z * light[2], 0);
  const half = normalise([light[0], light[1], light[2] + 0.6]);
  const highlight = 0.55 * Math.max(x * half[0] + y * half[1] + z * half[2], 0) ** 28;
  const rim = 0.06 * (1 - z) ** 2;
  const lit = scale(ballColour, 0.34 + 0.78 * lambert);
  return [lit[0] + highlight + rim, lit[1] + highlight + rim, lit[2] + highlight + rim];
}

function bark(x: number, y: number): Colour {
  const round = Math.sqrt(Math.max(1 - (x / postHalfWidth) ** 2, 0));
  const grain = fractalNoise(x * 40, y * 5, 51, 3);
  return scale([0.36, 0.24, 0.14], 0.35 + 0.75 * round + 0.22 * grain);
}

function mix(a: Colour, b: Colour, t: number): Colour {
  const amount = Math.min(Math.max(t, 0), 1);
  return [a[0] + (b[0] - a[0]) * amount, a[1] + (b[1] - a[1]) * amount, a[2] + (b[2] - a[2]) * amount];
}

function scale(colour: Colour, factor: number): Colour {
  return [colour[0] * factor, colour[1] * factor, colour[2] * factor];
}

function normalise(vector: Colour): Colour {
  return scale(vector, 1 / Math.hypot(...vector));
}
