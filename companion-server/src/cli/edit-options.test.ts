import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { guidanceBases, pipelines } from '../../../protocol/edit-settings.ts';
import { editOptions, readEditRequest } from './edit-options.ts';
import { parseArguments } from './options.ts';

function request(...args: string[]) {
  const { values, positionals } = parseArguments(args, editOptions);
  return readEditRequest(values, positionals);
}

const prompt = ['--prompt', 'a silver wolf'];

describe('readEditRequest', () => {
  test('how a checkpoint is read can be said, but not to a server that runs elsewhere', () => {
    expect(request('c', ...prompt).reading).toBeUndefined();
    expect(request('c', ...prompt, '--parts', 'sd').reading).toEqual({ parts: resolve('sd'), prediction: null });
    expect(request('c', ...prompt, '--prediction', 'v').reading).toEqual({ parts: null, prediction: 'v_prediction' });
    expect(request('c', ...prompt, '--prediction', 'epsilon').reading?.prediction).toBe('epsilon');
    expect(() => request('c', ...prompt, '--prediction', 'noise')).toThrow('--prediction');
    const remote = ['--server', 'http://127.0.0.1:7860'];
    expect(() => request('c', ...prompt, ...remote, '--parts', 'sd')).toThrow('--parts cannot be used together');
    expect(() => request('c', ...prompt, ...remote, '--prediction', 'v')).toThrow(
      '--prediction cannot be used together',
    );
  });

  test('a clip and a prompt are enough', () => {
    expect(request('in/clip.mp4', ...prompt)).toMatchObject({
      clipPath: resolve('in/clip.mp4'),
      outPath: resolve('in/clip-edited.mov'),
      device: 'auto',
      settings: { prompt: 'a silver wolf', technique: 'pnp', steps: null, codec: 'prores' },
    });
  });

  test('where keyframes are given, the source prompt is prompt enough', () => {
    const given = ['--keyframe', '0=a.png', '--source-prompt', 'a wolf'];
    expect(request('c', ...given).settings.prompt).toBe('a wolf');
    expect(request('c', ...given, ...prompt).settings.prompt).toBe('a silver wolf');
    expect(() => request('c', '--source-prompt', 'a wolf')).toThrow('--prompt is empty');
  });

  test('a layer is ProRes 4444 unless a codec is named, which must keep alpha', () => {
    const layer = ['--mask-shape', 'ellipse:0,0,1,1', '--output-alpha'];
    expect(request('c', ...prompt, ...layer).settings.codec).toBe('prores-4444');
    expect(request('c', ...prompt, ...layer, '--out', 'o.mkv').settings.codec).toBe('ffv1');
    expect(() => request('c', ...prompt, ...layer, '--codec', 'h264')).toThrow(
      '--output-alpha needs a codec that keeps alpha, got h264.',
    );
  });

  test("the reference pipeline is the official code's, unless an option says otherwise", () => {
    const official = { steps: 50, inversionSteps: 500, guidance: 7.5, propagation: 'reference' };
    const args = ['c', ...prompt, '--pipeline', 'reference'];
    expect(request(...args).settings).toMatchObject(official);
    expect(request(...args, '--steps', '40').settings).toMatchObject({
      ...official,
      steps: 40,
      inversionSteps: null,
    });
    expect(request(...args, '--guidance', '3').settings).toMatchObject({
      ...official,
      guidance: 3,
    });
  });

  test('what guides is left to the model and can be chosen, but in the reference pipeline it is the negative prompt', () => {
    expect(request('c', ...prompt).settings.guideBy).toBeNull();
    const chosen = guidanceBases.map((by) => request('c', ...prompt, '--guide-by', by).settings.guideBy);
    expect(chosen).toEqual(guidanceBases);
    expect(request('c', ...prompt, '--pipeline', 'reference').settings.guideBy).toBe('negative');
    expect(() => request('c', ...prompt, '--guide-by', 'target')).toThrow(
      "--guide-by must be one of negative, source, both, got 'target'.",
    );
  });

  test('how the model is shown HDR, and what is written into the result, is left out unless it is said', () => {
    const plain = request('c', ...prompt).settings;
    expect(plain).not.toHaveProperty('modelColour');
    expect(plain).toMatchObject({ writesPrompt: false, keepsLocation: false });
    const told = request('c', ...prompt, '--model-colour', 'off', '--write-prompt', '--keep-location').settings;
    expect(told).toMatchObject({ modelColour: 'off', writesPrompt: true, keepsLocation: true });
    expect(() => request('c', ...prompt, '--model-colour', 'lut')).toThrow('--model-colour must be one of auto, off');
  });

  test('every pipeline can be chosen; a draft leaves its steps to the program', () => {
    const chosen = pipelines.map((pipeline) => request('c', ...prompt, '--pipeline', pipeline).settings.pipeline);
    expect(chosen).toEqual(pipelines);
    const draft = { steps: null, inversionSteps: null, guidance: null, propagation: 'paper' };
    expect(request('c', ...prompt, '--pipeline', 'draft').settings).toMatchObject(draft);
  });

  test('LoRA are named by a file or by a name of the server, each with a strength', () => {
    const { settings, loraFiles, embeddingFiles } = request(
      ...['c', ...prompt, '--lora', 'looks/film.safetensors:0.8', '--lora', 'grain', '--lora', 'detail:-1.5'],
      ...['--lora', './other/film.safetensors', '--embedding', 'words/EasyNegative.safetensors'],
    );
    expect(settings.loras).toEqual([
      { name: 'film', strength: 0.8 },
      { name: 'grain', strength: 1 },
      { name: 'detail', strength: -1.5 },
      { name: 'film (2)', strength: 1 },
    ]);
    expect([...loraFiles]).toEqual([
      ['film', resolve('looks/film.safetensors')],
      ['film (2)', resolve('other/film.safetensors')],
    ]);
    expect([...embeddingFiles]).toEqual([['EasyNegative', resolve('words/EasyNegative.safetensors')]]);
  });

  test('a VAE is named by a file, a folder or a name of the server', () => {
    const chosen = (vae: string) => {
      const { settings, vaeFiles } = request('c', ...prompt, '--vae', vae);
      return [settings.vae, [...vaeFiles]];
    };
    expect(chosen('sdxl-vae-fp16-fix')).toEqual(['sdxl-vae-fp16-fix', []]);
    expect(chosen('vaes/kl-f8.v2.safetensors')).toEqual([
      'kl-f8.v2',
      [['kl-f8.v2', resolve('vaes/kl-f8.v2.safetensors')]],
    ]);
    expect(chosen('./better.vae')).toEqual(['better.vae', [['better.vae', resolve('better.vae')]]]);
    expect(request('c', ...prompt).settings).not.toHaveProperty('vae');
    const remote = () => request('c', ...prompt, '--vae', './a.safetensors', '--server', 'http://127.0.0.1:7860');
    expect(remote).toThrow('--vae cannot name a file of this machine together with --server.');
  });

  test('the colon of a Windows drive begins no strength', () => {
    const nameOf = (lora: string) => request('c', ...prompt, '--lora', lora).settings.loras[0];
    expect(nameOf('C:\\looks\\film.safetensors')?.strength).toBe(1);
    expect(nameOf('C:\\looks\\film.safetensors:0.5')?.strength).toBe(0.5);
    expect(nameOf('a:b')).toEqual({ name: 'a:b', strength: 1 });
    expect(nameOf('film:.5')).toEqual({ name: 'film', strength: 0.5 });
  });

  test('the ending of --out decides the codec', () => {
    expect(request('c', ...prompt, '--out', 'o.MP4').settings.codec).toBe('h264');
    expect(request('c', ...prompt, '--out', 'o.mov').settings.codec).toBe('prores');
  });

  test('the codec decides the ending where there is no --out', () => {
    expect(request('c.mkv', ...prompt, '--codec', 'h264').outPath).toBe(resolve('c-edited.mp4'));
  });

  test.each([
    [['c'], '--prompt is empty; say what the clip should become.'],
    [prompt, 'edit needs a clip.'],
    [['c', 'd', ...prompt], "edit takes one clip, got 'd' as well."],
    [['c', ...prompt, '--strength', '1.4'], '--strength must be between 0 and 1, got 1.4.'],
    [['c', ...prompt, '--steps', '0'], '--steps must be between 1 and 1000, got 0.'],
    [
      ['c', ...prompt, '--steps', '50', '--inversion-steps', '70'],
      '--inversion-steps must be a multiple of the 50 sampling steps, got 70.',
    ],
    [['c', ...prompt, '--lora', 'film:2.5'], 'The strength of --lora must be between -2 and 2, got 2.5.'],
    [['c', ...prompt, '--lora', 'film', '--lora', 'film:0.5'], "--lora must not be named twice, got 'film'."],
    [
      ['c', ...prompt, '--server', 'http://127.0.0.1:47860', '--lora', './film.safetensors'],
      '--lora cannot name a file of this machine together with --server.',
    ],
    [
      ['c', ...prompt, '--embedding', 'a/look.safetensors', '--embedding', 'b/look.safetensors'],
      "--embedding was given two files for the word 'look'.",
    ],
    [['c', ...prompt, '--size', '512'], "--size must look like 512x320, got '512'."],
    [['c', ...prompt, '--size', '32x512'], '--size must be between 64 and 2048, got 32.'],
    [['c', ...prompt, '--start', '3', '--end', '1'], '--end must be after the start at 3 seconds, got 1.'],
    [['c', ...prompt, '--out', 'o.avi'], "--out must end in .mov or .mp4 or .m4v or .mkv, got 'o.avi'."],
    [['c', ...prompt, '--out', 'o.mov', '--codec', 'ffv1'], "--out must end in .mkv for ffv1, got 'o.mov'."],
    [['c.mov', ...prompt, '--out', './c.mov'], '--out must be another file than the clip.'],
    [
      ['c', '--prompt', 'x', '--negative', 'x'.repeat(2_001)],
      '--negative must have at most 2000 characters, got 2001.',
    ],
  ])('%j is refused', (args, message) => {
    expect(() => request(...args)).toThrow(message);
  });
});
