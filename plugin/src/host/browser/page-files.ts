// What a web page has instead of a timeline: a file that was dropped or picked, a range of it, and results that are saved
// like downloads.

export interface PageFiles {
  /** Takes a file as the clip to edit. */
  take(file: File): void;
  /** Asks for a file. */
  pick(): void;
  clear(): void;
  /** The range to edit in seconds; null for the whole file. */
  setRange(range: { readonly startSeconds: number; readonly endSeconds: number } | null): void;
  /** An address under which the page can play the file; null when it is not there any more. */
  urlOf(fileId: string): string | null;
  /** Hands a result to the browser's downloads; false when the page does not have it any more. */
  save(resultId: string): Promise<boolean>;
}
