// JSON as Python writes it: diffusers saves numbers that are none, for instance `"lambda_min_clipped": -Infinity` of a
// DPMSolverMultistepScheduler, in words that JSON does not have.

const stringOrWord = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;

/**
 * Parses `text` as JSON in which Infinity, -Infinity and NaN may stand for numbers; they become texts, which are right for
 * no field that is read. Throws SyntaxError.
 */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const plain = text.replace(stringOrWord, (found) => (found.startsWith('"') ? found : `"${found}"`));
    if (plain === text) throw error;
    return JSON.parse(plain);
  }
}
