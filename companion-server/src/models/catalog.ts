// The catalogue that comes with the program: which checkpoints it knows by name.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseCatalog, type CatalogModel } from './catalog-file.ts';

const catalogPath = fileURLToPath(new URL('../../../models/catalog.json', import.meta.url));

let catalog: readonly CatalogModel[] | undefined;

/** Read once. Throws EditError 'model-damaged' when the file is not what it should be. */
export function readCatalog(): readonly CatalogModel[] {
  catalog ??= parseCatalog(readFileSync(catalogPath, 'utf8'), catalogPath);
  return catalog;
}
