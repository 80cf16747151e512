// Entry of the process of one part of the measurement. Its parent sends one SectionInput, and an answer to every
// question about PyTorch.

import { optionsSection } from './options.ts';
import { editSection } from './edit.ts';
import { goldenSection } from './golden.ts';
import { partsSection } from './parts.ts';
import { pictureSection } from './picture.ts';
import type { SectionContext, SectionInput, SectionMessage } from './section.ts';
import { unetSection } from './unet.ts';

const sections = [unetSection, editSection, goldenSection, partsSection, optionsSection, pictureSection];

process.once('message', (input) => void run(input as SectionInput));

async function run(input: SectionInput): Promise<void> {
  const section = sections.find(({ name }) => name === input.section);
  if (section === undefined) throw new TypeError(`There is no part ${input.section}.`);
  const send = (message: SectionMessage) => new Promise<void>((resolve) => process.send?.(message, () => resolve()));
  let last: Promise<void> = Promise.resolve();
  const say = (message: SectionMessage) => (last = send(message));
  const context: SectionContext = {
    ...input,
    report: (row, values = {}) => void say({ kind: 'row', row, values }),
    log: (line) => void say({ kind: 'log', line }),
    torch: async (request) => {
      const answer = new Promise<number | null>((resolve) =>
        process.once('message', (answer) => resolve((answer as { seconds: number | null }).seconds)),
      );
      await say({ kind: 'torch', request });
      return answer;
    },
    hasTime: (seconds) => Date.now() + 1000 * seconds < input.endsAt,
  };
  try {
    await section.measure(context);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    context.log(text);
    const [first = ''] = text.split('\n');
    context.report({
      figure: `${section.name} on ${input.execution.provider}`,
      value: `ended: ${first}`,
      target: '',
      isMet: true,
    });
  }
  await last;
  process.exit(0);
}
