export function isPanelCurrent(): boolean;
export function ensurePanel(): Promise<void>;
