// What was found on the machine, by the names that users and clients give.

import { EditError } from '../../errors.ts';
import { typed } from '../../typed-command.ts';
import type { ModelKind } from './found.ts';
import { longNameOf, type Named } from './names.ts';
import type { OwnModel } from './own-models.ts';
import type { FoundModel } from './scan.ts';

type Found = readonly Named<FoundModel>[];

const titles: Readonly<Record<ModelKind, string>> = {
  checkpoint: 'model',
  lora: 'LoRA',
  vae: 'VAE',
  embedding: 'embedding',
  controlnet: 'ControlNet',
};

/** Names in an error. */
const maxNamed = 12;

function named(found: Found, kind: ModelKind, name: string): readonly Named<FoundModel>[] {
  const all = found.filter(({ item }) => item.kind === kind);
  const exact = all.filter(({ id }) => id === name);
  if (exact.length > 0) return exact;
  const long = all.filter(({ item }) => longNameOf(item) === name);
  return long.length > 0 ? long : all.filter(({ item }) => item.name === name);
}

/** The one file of this name; undefined where there is none. Throws EditError where several have it. */
export function findByName(found: Found, kind: ModelKind, name: string): FoundModel | undefined {
  const [one, other] = named(found, kind, name);
  if (other === undefined || one === undefined) return one?.item;
  const names = named(found, kind, name).map(({ id }) => id);
  throw new EditError(
    codes(kind).missing,
    `There are ${names.length} ${titles[kind]}s '${name}': ${names.join(', ')}.`,
    {
      hint: 'Use the long name of the one that you mean.',
    },
  );
}

/** Throws EditError 'model-unsupported' or 'adapter-unsupported' with the reason why it cannot be used. */
export function usablePath({ kind, problem, lacksParts, file }: FoundModel, name: string): string {
  // The parts may be there by now: `readingOf` looks.
  if (problem === null || lacksParts === true) return file.path;
  throw new EditError(codes(kind).unsupported, `The ${titles[kind]} '${name}' cannot be used. ${problem}`, {
    hint: 'Choose another one; docs/models.md says what is supported.',
  });
}

/** The error 'model-missing' or 'adapter-missing', with the names that there are. */
export function missingModel(
  { own, found }: { readonly own: readonly OwnModel[]; readonly found: Found },
  kind: ModelKind,
  name: string,
): EditError {
  const ownNames = kind === 'checkpoint' ? own.map(({ id }) => id) : [];
  const usable = found.filter(({ item }) => item.kind === kind && item.problem === null);
  const names = [...ownNames, ...usable.map(({ id }) => id)];
  const has = names.length === 0 ? 'none' : names.slice(0, maxNamed).join(', ');
  const rest = names.length > maxNamed ? `, and ${names.length - maxNamed} more` : '';
  return new EditError(
    codes(kind).missing,
    `The server has no ${titles[kind]} named '${name}'; it has ${has}${rest}.`,
    {
      hint: `${typed('models')} shows what there is, and where it was looked for.`,
    },
  );
}

function codes(kind: ModelKind) {
  return kind === 'checkpoint'
    ? ({ missing: 'model-missing', unsupported: 'model-unsupported' } as const)
    : ({ missing: 'adapter-missing', unsupported: 'adapter-unsupported' } as const);
}
