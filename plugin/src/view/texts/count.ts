/** `1 frame`, `2 frames`. */
export const count = (amount: number, one: string, many: string): string => `${amount} ${amount === 1 ? one : many}`;
