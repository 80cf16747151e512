// Textual inversion (arXiv 2208.01618): a word whose vectors were trained, in the place of rows of a text encoder's table of
// tokens. Files have one tensor for each encoder, under names that differ by the program that wrote them: `emb_params`
// (AUTOMATIC1111), the word itself (diffusers), `clip_l` and `clip_g` (Stable Diffusion XL).

import { EditError } from '../errors.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';
import { adapterError, naming } from './lora/adapter-error.ts';
import { modelFamilies } from './lora/recognise-lora.ts';
import { openSafetensors, readTensor } from './safetensors.ts';

/** An embedding of an edit. */
export interface EmbeddingFile {
  /** The word of the prompt that it stands for. */
  readonly word: string;
  /** Absolute path of a safetensors file. */
  readonly file: string;
}

/** An embedding with its vectors. */
export interface PromptEmbedding {
  /** What the user calls it. */
  readonly name: string;
  /** Words of a prompt that mean it: the user's own, and the one in the file. */
  readonly words: readonly string[];
  /** For each text encoder that it is for: [vectors, width]. */
  readonly vectors: readonly Tensor[];
}

/** Names that are no words. */
const namesOfPrograms = ['emb_params', 'clip_l', 'clip_g', 'string_to_param'];

/** CLIP reads no more tokens. */
const maxVectors = 75;
/** Text encoders of one checkpoint. */
const maxEncoders = 3;

export interface RecognisedEmbedding {
  /** The models that it is for, in words for users; null where nothing shows it. */
  readonly family: string | null;
  /** Tokens of the prompt that it takes. */
  readonly vectors: number;
}

/** What the header of a file says; null for a file that is no embedding. */
export function recogniseEmbedding(
  tensors: ReadonlyMap<string, { readonly dims: readonly number[] }>,
): RecognisedEmbedding | null {
  const lists = [...tensors.values()];
  if (lists.length === 0 || lists.length > maxEncoders || !lists.every(({ dims }) => isListOfVectors(dims)))
    return null;
  const [first = []] = lists.map(({ dims }) => dims);
  return {
    family: familyOfWidths(lists.map(({ dims }) => dims.at(-1) ?? 0)),
    vectors: first.length === 1 ? 1 : (first[0] ?? 0),
  };
}

/** The models whose text encoders read vectors of these widths; null where it is none of the known ones. */
export function familyOfWidths(widths: readonly number[]): string | null {
  if (widths.includes(1280)) return modelFamilies.sdxl;
  if (widths.includes(1024)) return modelFamilies.sd2;
  return widths.includes(768) ? modelFamilies.sd1 : null;
}

/** Throws EditError: 'adapter-missing', 'adapter-damaged', 'adapter-unsupported', each with the embedding's name. */
export function readEmbedding({ word, file }: EmbeddingFile): Promise<PromptEmbedding> {
  return naming('embedding', word, async () => {
    if (/\.(bin|pt|pth)$/i.test(file)) {
      throw new EditError(
        'model-unsupported',
        `${file}: is a pickle, which may run code when it is read; a .safetensors file is needed.`,
      );
    }
    const opened = await openSafetensors(file);
    const keys = [...opened.entries.keys()];
    if (recogniseEmbedding(opened.entries) === null) {
      throw adapterError(
        'adapter-unsupported',
        'embedding',
        word,
        `is no textual inversion: its file must have one list of at most ${maxVectors} vectors for each text encoder.`,
      );
    }
    const vectors = await Promise.all(keys.map(async (key) => asRows(await readTensor(opened, key))));
    if (!vectors.every(({ data }) => data.every(Number.isFinite))) {
      throw adapterError('adapter-damaged', 'embedding', word, 'has values that are no numbers.');
    }
    const own = keys.filter((key) => keys.length === 1 && !namesOfPrograms.includes(key));
    return { name: word, words: [...new Set([word, ...own])], vectors };
  });
}

function isListOfVectors(dims: readonly number[]): boolean {
  const [count = 0] = dims;
  return dims.length === 1 || (dims.length === 2 && count >= 1 && count <= maxVectors);
}

function asRows({ dims, data }: Tensor): Tensor {
  return dims.length === 1 ? tensor([1, ...dims], data) : { dims, data };
}
