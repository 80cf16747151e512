export interface Complaint {
  readonly file: string;
  readonly line: number;
  /** What was found. */
  readonly what: string;
  readonly why: string;
  /** Where the rule is from. */
  readonly source: string;
}

export function checkCss(file: string, text: string): Complaint[];
export function checkHtml(file: string, text: string): Complaint[];
export function checkScript(file: string, text: string): Complaint[];
export function printComplaints(complaints: readonly Complaint[]): string[];
