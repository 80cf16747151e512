// Reads the fields of a network's config.json: every fault names the file's field, the rule and the value.

import { EditError } from '../errors.ts';
import { classNameOf } from './class-name.ts';

/** A parsed config.json with the name it is reported under, for instance `unet/config.json`. */
export class ConfigReader {
  private readonly json: Readonly<Record<string, unknown>>;
  private readonly source: string;
  private readonly hint: string;

  /** @param hint what to take instead of a checkpoint whose config does not fit */
  constructor(json: Readonly<Record<string, unknown>>, source: string, hint: string) {
    this.json = json;
    this.source = source;
    this.hint = hint;
  }

  /** A positive whole number. */
  integer(field: string, fallback?: number): number {
    const value = this.scalar(field) ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
      this.fail(field, 'must be a positive whole number', value);
    }
    return value;
  }

  number(field: string, fallback: number): number {
    const value = this.scalar(field) ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      this.fail(field, 'must be a number', value);
    }
    return value;
  }

  /** A number above 0: epsilons and factors of 0 or less make values that are no numbers. */
  positive(field: string, fallback: number): number {
    const value = this.number(field, fallback);
    if (value <= 0) this.fail(field, 'must be a number above 0', value);
    return value;
  }

  boolean(field: string, fallback: boolean): boolean {
    const value = this.scalar(field) ?? fallback;
    if (typeof value !== 'boolean') this.fail(field, 'must be true or false', value);
    return value;
  }

  /** One of a fixed set of words. */
  choice<T extends string>(field: string, allowed: readonly T[], fallback: T): T {
    const value = this.scalar(field) ?? fallback;
    const found = allowed.find((word) => word === value);
    if (found === undefined) this.fail(field, `must be one of ${allowed.join(', ')}`, value);
    return found;
  }

  /** A list of positive whole numbers. */
  integers(field: string): readonly number[] {
    const value = this.json[field];
    const isList = Array.isArray(value) && value.length > 0;
    if (!isList || !value.every((entry) => Number.isInteger(entry) && Number(entry) > 0)) {
      this.fail(field, 'must be a list of positive whole numbers', value);
    }
    return value.map(Number);
  }

  /** A list of words, each from a fixed set. */
  choices<T extends string>(field: string, allowed: readonly T[]): readonly T[] {
    const value = this.json[field];
    if (!Array.isArray(value) || value.length === 0) this.fail(field, 'must be a list', value);
    return value.map((entry) => {
      const found = allowed.find((word) => word === entry);
      if (found === undefined) this.fail(field, `may only name ${allowed.join(', ')}`, entry);
      return found;
    });
  }

  /** A positive whole number that divides every one of `channels`. */
  divisor(field: string, fallback: number, channels: readonly number[]): number {
    const value = this.integer(field, fallback);
    const odd = channels.find((count) => count % value !== 0);
    if (odd !== undefined) this.fail(field, `must divide the ${odd} channels of a level`, value);
    return value;
  }

  /** Refuses a config of another class of network. */
  expectClass(allowed: readonly string[]): void {
    const name = classNameOf(this.json);
    if (name !== undefined && !allowed.includes(name)) {
      this.fail('_class_name', `must be ${allowed.map(show).join(' or ')}`, name);
    }
  }

  raw(field: string): unknown {
    return this.json[field];
  }

  /** Refuses a checkpoint whose `field` has a value that the network here does not implement. */
  expect(field: string, allowed: readonly unknown[]): void {
    const value = this.scalar(field);
    if (value !== undefined && !allowed.includes(value)) {
      this.fail(field, `must be ${allowed.map(show).join(' or ')}`, value);
    }
  }

  /** A field's value. A list with an entry for each level, all equal, means the one value. */
  private scalar(field: string): unknown {
    const value = this.json[field];
    if (!Array.isArray(value) || value.length === 0) return value;
    const [first, ...others] = value as unknown[];
    const isScalar = first === null || typeof first !== 'object';
    return isScalar && others.every((entry) => entry === first) ? first : value;
  }

  fail(field: string, rule: string, value: unknown): never {
    throw new EditError('model-unsupported', `${this.source}: ${field} ${rule}, got ${show(value)}.`, {
      hint: this.hint,
    });
  }
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
