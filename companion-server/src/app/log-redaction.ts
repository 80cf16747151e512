// What must not be in a log, and how it is recognised: by the name of a detail, or by its shape in a text.

/** Details of these names lose their value. */
export const secretKeys = [
  ...['token', 'code', 'key', 'secret', 'signature', 'authorization', 'cookie'],
  ...['prompt', 'sourcePrompt', 'negativePrompt', 'clipPath', 'path'],
] as const;

/** Endings of media files, of which a name may say more than its owner wants. */
const mediaEndings = 'mov|mp4|m4v|mkv|webm|avi|mxf|mts|jpe?g|png|wav';

const secretShapes: readonly (readonly [RegExp, string])[] = [
  // 256 bits or more in hexadecimal digits: tokens, secrets, signatures, hashes. Ids have 128 bits and stay.
  [/\b[0-9a-f]{64,}\b/gi, '[token]'],
  [/\bBearer\s+\S+/gi, 'Bearer [token]'],
  [/\b[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}\b/g, '[code]'],
  [/("(?:source|negative)?prompt"\s*:\s*)"(?:[^"\\]|\\.)*"/gi, '$1"[prompt]"'],
  [/((?:source|negative)?prompt\s*[:=]\s*)'(?:[^'\\]|\\.)*'/gi, "$1'[prompt]'"],
  // From a root or a drive to the ending, with the spaces in between.
  [new RegExp(`(?:file:)?(?:[a-z]:[\\\\/]|[\\\\/])[^\\n"'<>|]*?\\.(?:${mediaEndings})\\b`, 'gi'), '[clip]'],
];

/** `text` without what looks like a secret, a prompt in an object, or the path of a clip. */
export function scrub(text: string): string {
  return secretShapes.reduce((left, [shape, stand]) => left.replaceAll(shape, stand), text);
}
