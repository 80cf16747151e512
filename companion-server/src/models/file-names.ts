// Which names a catalogue, a record or a user may give: what is let through here becomes part of a path on every
// system, and nothing else does.

/** Longest path of a file inside its checkpoint, in characters. */
export const maxFilePathCharacters = 200;

const segment = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** Windows takes these for devices, with any ending. */
const deviceName = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

const pickleFile = /\.(bin|ckpt|pt|pth|pkl)$/i;
const readFile = /\.(safetensors|json|txt)$/;

/** What is wrong with a model's name, as the rest of a sentence; undefined when nothing is. */
export function complainAboutModelName(name: string): string | undefined {
  if (isSafeSegment(name) && name.length <= 64) return undefined;
  return 'must be 1 to 64 letters, digits, dots, dashes and underscores, and begin with a letter or a digit';
}

/**
 * What is wrong with the path of a checkpoint's file, as the rest of a sentence; undefined when nothing is. Only
 * relative paths with forward slashes, of files that are read here, are right.
 */
export function complainAboutFilePath(path: string): string | undefined {
  if (path.length > maxFilePathCharacters) {
    return `must have at most ${maxFilePathCharacters} characters`;
  }
  if (!path.split('/').every(isSafeSegment)) {
    return 'must be a relative path of letters, digits, dots, dashes and underscores, with forward slashes and no ..';
  }
  if (pickleFile.test(path)) {
    return `is a pickle, which may run code when it is read: name ${safetensorsFor(path)} instead`;
  }
  return readFile.test(path) ? undefined : 'must end in .safetensors, .json or .txt';
}

/** The safetensors file that `diffusers` writes where it used to write this pickle. */
export function safetensorsFor(picklePath: string): string {
  return picklePath
    .replace(/(^|\/)pytorch_model(\.[a-z0-9]+)?\.bin$/, '$1model$2.safetensors')
    .replace(pickleFile, '.safetensors');
}

function isSafeSegment(name: string): boolean {
  return segment.test(name) && !name.endsWith('.') && !deviceName.test(name);
}
