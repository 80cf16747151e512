export function packCcx(folder: string): Buffer;
export function listFiles(folder: string, below?: string): string[];
