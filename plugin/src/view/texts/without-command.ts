// What the background app says, without what only a terminal can do: its texts are also those of the command line. Every text
// of it that the panel shows goes through here; what can be copied for a report has all of it.

/** In this order: npm; the program with a command; an option; a variable of the environment. */
const forTerminals = [
  /\bnpm\b/,
  /\btokenflow(?:\.cmd)?"? [a-z]/,
  /\bTokenFlow\.cmd\b/,
  /(?:^|[\s("'`])--[a-z]/,
  /\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b/,
];

/** A sentence and the space behind it; a full stop within a word ends none. */
const sentence = /(?:[^.!?]|[.!?](?=\S))+[.!?]*\s*/g;

/**
 * The sentences of `text` before the first that needs a terminal; null when there are none. Later ones may depend on the one
 * that is left out.
 */
export function withoutCommand(text: string | null | undefined): string | null {
  if (text == null) return null;
  const sentences = text.match(sentence) ?? [];
  const first = sentences.findIndex((one) => forTerminals.some((pattern) => pattern.test(one)));
  const plain = (first === -1 ? text : sentences.slice(0, first).join('')).trim();
  return plain === '' ? null : plain;
}
