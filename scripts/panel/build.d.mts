import type { Complaint } from './dialect.mjs';

export function folderOf(name: 'premiere' | 'web', outFolder?: string): string;
export function manifestFor(options?: { readonly anyNetwork?: boolean }): string;
export function checkDialect(outFolder?: string): Complaint[];
export function buildPanel(options?: {
  readonly outFolder?: string;
  readonly anyNetwork?: boolean;
  readonly program?: string;
}): Promise<void>;
export function bundlePart(entry: string): Promise<string>;
