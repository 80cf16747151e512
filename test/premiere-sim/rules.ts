// The rules that the simulated Premiere holds its callers to. Each names where it is from: the section of the project's
// notes on Premiere's and UXP's documentation, types, samples and reported behaviour. A rule that is broken throws at
// once, so that no test passes by luck.

export const rules = {
  'lock-scope': {
    rule: 'Actions are created only within lockedAccess or an executeTransaction callback.',
    source: 'Transaction rules, 1',
  },
  'callback-synchronous': {
    rule: 'The callbacks of lockedAccess and executeTransaction return no promise.',
    source: 'Transaction rules, 2',
  },
  'action-escape': {
    rule: 'An action is used within the callback that it was created in, and once.',
    source: 'Transaction rules, 3',
  },
  'undo-name': {
    rule: 'A transaction has a name for the Undo menu.',
    source: 'Transaction rules, 5 and 7',
  },
  'stale-object': {
    rule: 'Clips and selections that were read before a transaction are not used after it.',
    source: 'Reported pitfalls; SequenceEditor',
  },
  'empty-selection': {
    rule: 'A selection from createEmptySelection is not handed to createRemoveItemsAction.',
    source: 'Selection (reported bug)',
  },
  'track-index': {
    rule: 'Clips are placed only on tracks that exist.',
    source: 'SequenceEditor, new track by index',
  },
  'uncast-item': {
    rule: 'Edits take the ProjectItem of getItems(), not a cast one.',
    source: 'SequenceEditor, insert',
  },
  'import-bin': {
    rule: 'importFiles gets a bin or null, never undefined.',
    source: 'Project, importFiles',
  },
  'constant-at-run-time': {
    rule: 'Enumerations are passed as ppro.Constants has them, never as literals.',
    source: 'premierepro module, import',
  },
  'property-absent': {
    rule: 'getValue is called only after hasValue.',
    source: 'Provenance, labels, markers',
  },
  'same-listener': {
    rule: 'A listener is removed with the function that was added.',
    source: 'Tracks, monitor, events',
  },
  'setup-once': {
    rule: 'entrypoints.setup is called once.',
    source: 'UXP runtime, lifecycle',
  },
  'array-buffer': {
    rule: 'fs.read and fs.write take an ArrayBuffer, not a view of one.',
    source: 'UXP runtime, files',
  },
  encoding: {
    rule: 'Texts are read and written with the encoding utf-8 named.',
    source: 'UXP runtime, files',
  },
  'launch-scheme': {
    rule: 'shell.openExternal opens only what the manifest names.',
    source: 'Manifest, launchProcess',
  },
  'not-simulated': {
    rule: 'Only functions that the panel is known to need are simulated.',
    source: 'Testing outside the host',
  },
} as const satisfies Record<string, { readonly rule: string; readonly source: string }>;

export type RuleName = keyof typeof rules;

/** Kept aside as well as thrown, since the code under test may catch what it is thrown. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly rule: RuleName;

  constructor(rule: RuleName, detail: string) {
    super(`${rules[rule].rule} (${rules[rule].source}) ${detail}`);
    this.rule = rule;
  }
}
