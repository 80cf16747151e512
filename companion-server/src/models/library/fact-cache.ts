// What headers said, by path, size and time of the last change: a file that has not changed is not read again. Kept in a
// file of the cache folder, so that the next start is quick as well.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  FieldError,
  list,
  nullable,
  number,
  object,
  oneOf,
  parse,
  text,
  type Infer,
} from '../../../../protocol/fields.ts';
import { writeWhole } from '../../files/write-whole.ts';
import type { FoundFile, FoundKind, KindOf } from './found.ts';

/** Raised when the same header would be understood in another way. */
const version = 2;
const fileName = 'library.json';
const maxFacts = 100_000;

const keptFact = object({
  path: text({ min: 1, max: 10_000 }),
  sizeBytes: number(0, Number.MAX_SAFE_INTEGER),
  changedMs: number(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  role: text({ min: 1, max: 20 }),
  kind: nullable(oneOf(['checkpoint', 'lora', 'vae', 'embedding', 'controlnet'])),
  family: nullable(text({ max: 200 })),
  problem: nullable(text({ max: 1_000 })),
});
type KeptFact = Infer<typeof keptFact> & Pick<FoundKind, 'lacksParts'>;

const keptFacts = object({ version: number(version, version), facts: list(keptFact, maxFacts) });

export interface FactCache {
  readonly kindOf: KindOf;
  /** Writes what is new, and forgets files that were not asked about since the last call. Throws EditError as `writeWhole` does. */
  keep(): Promise<void>;
}

/**
 * A cache in front of `kindOf`. A file that cannot be read, or is of another version, is replaced.
 * @param cacheDir null for one that forgets with the process
 */
export async function openFactCache(cacheDir: string | null, kindOf: KindOf): Promise<FactCache> {
  const path = cacheDir === null ? null : join(cacheDir, fileName);
  let known = new Map((path === null ? [] : await readFacts(path)).map((fact) => [fact.path, fact]));
  let asked = new Map<string, KeptFact>();
  let hasNews = false;
  return {
    async kindOf(file) {
      const before = asked.get(file.path) ?? known.get(file.path);
      if (before !== undefined && isSame(before, file)) {
        asked.set(file.path, before);
        return kindIn(before);
      }
      const found = await kindOf(file);
      const { path: where, sizeBytes, changedMs, role } = file;
      asked.set(where, { path: where, sizeBytes, changedMs, role, ...found });
      hasNews = true;
      return found;
    },
    async keep() {
      const isSmaller = asked.size !== known.size;
      known = asked;
      asked = new Map();
      if (path === null || (!hasNews && !isSmaller)) return;
      hasNews = false;
      // Another version of the program may read what this one cannot.
      const facts = [...known.values()].filter(({ problem }) => problem === null).slice(0, maxFacts);
      await writeWhole(path, `${JSON.stringify({ version, facts })}\n`);
    },
  };
}

async function readFacts(path: string): Promise<readonly KeptFact[]> {
  try {
    return parse(keptFacts, JSON.parse(await readFile(path, 'utf8')), 'library').facts;
  } catch (error) {
    // It can be made again: a damaged one, or that of another version, is as good as none.
    if (error instanceof FieldError || error instanceof SyntaxError) return [];
    if ((error as NodeJS.ErrnoException).code !== undefined) return [];
    throw error;
  }
}

function isSame(fact: KeptFact, { sizeBytes, changedMs, role }: FoundFile): boolean {
  return fact.sizeBytes === sizeBytes && fact.changedMs === changedMs && fact.role === role;
}

function kindIn({ kind, family, problem, lacksParts }: KeptFact): FoundKind {
  return { kind, family, problem, lacksParts };
}
