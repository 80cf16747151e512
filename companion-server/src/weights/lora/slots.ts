// What a tensor of an adapter is to the module that it changes, by the end of its name.

/** The factors and scales of an adapter's module. */
export const slots = [
  ...(['down', 'up', 'mid', 'alpha', 'doraScale', 'magnitude'] as const),
  ...(['hada_w1_a', 'hada_w1_b', 'hada_w2_a', 'hada_w2_b', 'hada_t1', 'hada_t2'] as const),
  ...(['lokr_w1', 'lokr_w1_a', 'lokr_w1_b', 'lokr_w2', 'lokr_w2_a', 'lokr_w2_b', 'lokr_t2'] as const),
  ...(['diff', 'diff_b', 'w_norm', 'b_norm'] as const),
] as const;
export type Slot = (typeof slots)[number];

const sameName = ['alpha', 'diff', 'diff_b', 'w_norm', 'b_norm'] as const;

/** PEFT may keep the adapter's own name, which is `default`, in its keys. */
const peftEnds = ['', '.weight', '.default', '.default.weight'];

/** Ends of names, with what they mean. */
export const slotsBySuffix: readonly (readonly [string, Slot])[] = [
  // kohya, LyCORIS
  ['.lora_down.weight', 'down'],
  ['.lora_up.weight', 'up'],
  ['.lora_mid.weight', 'mid'],
  ['.dora_scale', 'doraScale'],
  ...sameName.map((name) => [`.${name}`, name] as const),
  ...slots
    .filter((slot) => /^(hada|lokr)_/.test(slot))
    .flatMap((slot) => ['', '.default'].map((end) => [`.${slot}${end}`, slot] as const)),
  // diffusers of several ages
  ...(['_lora', '.lora', '.lora_linear_layer'] as const).flatMap((pair): [string, Slot][] => [
    [`${pair}.down.weight`, 'down'],
    [`${pair}.up.weight`, 'up'],
  ]),
  // PEFT
  ...peftEnds.flatMap((end): [string, Slot][] => [
    [`.lora_A${end}`, 'down'],
    [`.lora_B${end}`, 'up'],
    [`.lora_magnitude_vector${end}`, 'magnitude'],
  ]),
];
