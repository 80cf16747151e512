export interface Module {
  readonly name: string;
  readonly at: readonly string[];
  readonly imports: readonly string[] | null;
  readonly types?: readonly string[];
  readonly isPure?: boolean;
}

export const modules: readonly Module[];
export const packageOwners: Readonly<Record<string, readonly string[]>>;
export const testPackages: readonly string[];
export function moduleOf(file: string): Module | undefined;
export function complaintAbout(file: string, specifier: string, isTypeOnly: boolean): string | undefined;
