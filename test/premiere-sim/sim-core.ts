// The heart of the simulated Premiere: the open project, its lock, its transactions and its undo stack, its events.

import { SimClock } from './sim-clock.ts';
import {
  copyDocument,
  rootId,
  type SimClip,
  type SimDocument,
  type SimItemData,
  type SimSequenceData,
} from './sim-document.ts';
import type { SimMachine } from './sim-machine.ts';
import { Violation, type RuleName } from './rules.ts';

/** Ways in which Premiere is reported to differ or to fail. All off at first. */
export interface SimFaults {
  /** What exportSequence answers; null for the truth. */
  exportAnswer: boolean | null;
  /** `success` and `failed` come at the end; `never` does not. */
  exportEvent: 'success' | 'failed' | 'never';
  exportWritesNothing: boolean;
  /** An export ends one frame after its out point. */
  outPointIsIncluded: boolean;
  /** What importFiles answers; null for the truth. */
  importAnswer: boolean | null;
  importBrings: 'item' | 'nothing' | 'offline-item';
  importDelayMs: number;
  /** executeTransaction does its work and says no, or does nothing and says yes. */
  transaction: 'honest' | 'does-and-denies' | 'nothing-and-claims';
  /** addAction says no to actions of this name. */
  refusedAction: string | null;
  /** Runs once, right before the next transaction of this name is done. */
  beforeTransaction: { readonly name: string; readonly run: () => void } | null;
}

export interface SimScope {
  isAlive: boolean;
}

export interface UndoEntry {
  readonly name: string;
  readonly before: SimDocument;
}

/** Tells an edited project how an action works on it. */
export class SimAction {
  readonly name: string;
  readonly scope: SimScope;
  readonly apply: (document: SimDocument) => void;
  isUsed = false;

  constructor(name: string, scope: SimScope, apply: (document: SimDocument) => void) {
    this.name = name;
    this.scope = scope;
    this.apply = apply;
  }
}

export class SimCore {
  readonly clock = new SimClock();
  readonly machine: SimMachine;
  readonly projectGuid = '8a0c3c5e-6d1f-4f1b-9c55-0d7a7b4f2a11';
  projectPath: string;
  isProjectOpen = true;
  document: SimDocument = { sequences: [], items: [] };
  activeSequenceGuid: string | null = null;
  /** Ids of selected clips, by sequence. */
  readonly selected = new Map<string, ReadonlySet<number>>();
  readonly playheads = new Map<string, bigint>();
  undoStack: UndoEntry[] = [];
  /** Grows with every transaction: what was read before is stale. */
  generation = 0;
  readonly violations: Violation[] = [];
  readonly sourceMonitor: { itemId: string | null; position: bigint } = {
    itemId: null,
    position: 0n,
  };
  readonly faults: SimFaults = {
    exportAnswer: null,
    exportEvent: 'success',
    exportWritesNothing: false,
    outPointIsIncluded: false,
    importAnswer: null,
    importBrings: 'item',
    importDelayMs: 700,
    transaction: 'honest',
    refusedAction: null,
    beforeTransaction: null,
  };

  private scope: SimScope | null = null;
  private lastId = 0;
  private readonly listeners = new Map<unknown, Set<(event?: object) => void>>();

  constructor(machine: SimMachine, projectPath: string) {
    this.machine = machine;
    this.projectPath = projectPath;
  }

  newId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  newGuid(): string {
    return `00000000-0000-4000-8000-${String(this.newId()).padStart(12, '0')}`;
  }

  violate(rule: RuleName, detail: string): never {
    const violation = new Violation(rule, detail);
    this.violations.push(violation);
    throw violation;
  }

  notSimulated(name: string): never {
    return this.violate('not-simulated', name);
  }

  action(name: string, apply: (document: SimDocument) => void): SimAction {
    if (this.scope === null) this.violate('lock-scope', `${name} was created outside.`);
    return new SimAction(name, this.scope, apply);
  }

  locked<T>(task: () => T): T {
    const outer = this.scope;
    const scope = outer ?? { isAlive: true };
    this.scope = scope;
    try {
      const answer = task();
      this.requireNoPromise(answer);
      return answer;
    } finally {
      this.scope = outer;
      if (outer === null) scope.isAlive = false;
    }
  }

  /** A promise of any realm. */
  requireNoPromise(answer: unknown): void {
    if (typeof answer !== 'object' || answer === null || !('then' in answer)) return;
    this.violate('callback-synchronous', 'It returned a promise.');
  }

  transact(name: string | undefined, collect: (add: (action: unknown) => boolean) => void): boolean {
    if (name === undefined || name === '') this.violate('undo-name', 'It has none.');
    const actions: SimAction[] = [];
    this.locked(() =>
      collect((action) => {
        if (!(action instanceof SimAction)) return this.violate('action-escape', 'No action.');
        if (!action.scope.isAlive || action.isUsed) this.violate('action-escape', action.name);
        action.isUsed = true;
        if (this.faults.refusedAction === action.name) return false;
        actions.push(action);
        return true;
      }),
    );
    const interruption = this.faults.beforeTransaction;
    if (interruption?.name === name) {
      this.faults.beforeTransaction = null;
      interruption.run();
    }
    if (this.faults.transaction === 'nothing-and-claims') return true;
    if (actions.length === 0) return false;
    const before = copyDocument(this.document);
    try {
      for (const action of actions) action.apply(this.document);
    } catch (error) {
      this.document = before;
      throw error;
    }
    this.undoStack.push({ name, before });
    this.generation += 1;
    return this.faults.transaction === 'honest';
  }

  /** What Ctrl+Z does. Returns the name of the step that was taken back, or undefined. */
  undo(): string | undefined {
    const entry = this.undoStack.pop();
    if (entry === undefined) return undefined;
    this.document = entry.before;
    this.generation += 1;
    return entry.name;
  }

  /** A change that is no step of undo: it holds in every earlier state, too. */
  changeForGood(change: (document: SimDocument) => void): void {
    change(this.document);
    for (const { before } of this.undoStack) change(before);
  }

  listen(event: unknown, listener: (event?: object) => void): void {
    if (event === undefined) this.violate('constant-at-run-time', 'An event is undefined.');
    const known = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, known.add(listener));
  }

  unlisten(event: unknown, listener: (event?: object) => void): void {
    if (this.listeners.get(event)?.delete(listener) !== true) {
      this.violate('same-listener', 'It was never added.');
    }
  }

  fire(event: unknown, payload?: object): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) listener(payload);
  }

  get listenerCount(): number {
    return [...this.listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }

  sequence(guid: string): SimSequenceData {
    const found = this.document.sequences.find((sequence) => sequence.guid === guid);
    return found ?? this.violate('stale-object', `Sequence ${guid} was deleted.`);
  }

  item(id: string): SimItemData {
    const found = this.document.items.find((item) => item.id === id);
    return found ?? this.violate('stale-object', `Project item ${id} was removed.`);
  }

  clip(guid: string, kind: 'video' | 'audio', id: number): { clip: SimClip; trackIndex: number } {
    const tracks = this.sequence(guid)[kind];
    for (const [trackIndex, { clips }] of tracks.entries()) {
      const clip = clips.find((one) => one.id === id);
      if (clip !== undefined) return { clip, trackIndex };
    }
    return this.violate('stale-object', `Clip ${id} is gone.`);
  }

  addItem(item: Omit<SimItemData, 'id' | 'isMulticam' | 'isMerged' | 'hasProxy' | 'marks'>): string {
    const id = `item-${this.newId()}`;
    const added = { id, isMulticam: false, isMerged: false, hasProxy: false, marks: null, ...item };
    this.changeForGood((document) => document.items.push({ ...added }));
    return id;
  }

  get rootId(): string {
    return rootId;
  }
}
