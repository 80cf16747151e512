import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/**
 * What node needs to run the program `entry`, a path: the loader of TypeScript, found from here and not from the working
 * directory; nothing for JavaScript.
 */
export function loaderArguments(entry: string): string[] {
  return entry.endsWith('.ts') ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [];
}
