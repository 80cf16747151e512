import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The loader that lets the child run TypeScript, found from here and not from the working directory. */
export function typeScriptLoader(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
}
