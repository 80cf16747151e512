// What tests of published checkpoint folders have in common.

type Json = Readonly<Record<string, unknown>>;

/** The families, as a reading names them. */
export const [sd, xl] = ['Stable Diffusion 1.x or 2.x', 'Stable Diffusion XL'] as const;

/** All parts written by one version of diffusers. */
export const same = (age: number) => ({ index: age, unet: age, vae: age, scheduler: age });

/** What scheduler files say. */
export const pndm: Json = { _class_name: 'PNDMScheduler' };
export const ddim: Json = { _class_name: 'DDIMScheduler' };
export const euler: Json = { interpolation_type: 'linear', prediction_type: 'epsilon', sample_max_value: 1 };
export const epsilon = { prediction_type: 'epsilon' };
export const velocity = { prediction_type: 'v_prediction' };
