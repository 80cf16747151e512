import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
const R = '/work/trees/mask/';
const { openSample, sampleMasks } = await import(R + 'companion-server/src/demo/samples.ts');
const { probeClip } = await import(R + 'companion-server/src/media/probe/probe.ts');
const { decodeFrames } = await import(R + 'companion-server/src/media/decode/frames.ts');
const { encodePng } = await import(R + 'companion-server/src/media/encode/png.ts');
const { writePictureClip } = await import(R + 'companion-server/src/media/encode/picture-clip.ts');
const { runEdit, realParts } = await import(R + 'companion-server/src/engine/run/edit.ts');
const { defaultSettings } = await import(R + 'protocol/edit-settings.ts');
const out = '/tmp/kfexp';
await mkdir(out, { recursive: true });
const psnr = (a: Uint8Array, b: Uint8Array) => {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += (a[i]! - b[i]!) ** 2;
  return 10 * Math.log10(255 ** 2 / (s / a.length));
};
for (const name of (process.argv[2] ?? 'ball-grass').split(',')) {
  const s = await openSample(name);
  const clip = await probeClip(s.clipPath);
  const masks = await sampleMasks(s);
  const src: any[] = [];
  for await (const f of decodeFrames(clip)) src.push(f);
  const recolour = (f: any, n: number) => {
    const rgb = f.rgb.slice();
    for (let i = 0; i < masks[n]!.length; i++)
      if (masks[n]![i]) {
        rgb[3 * i] = f.rgb[3 * i + 2];
        rgb[3 * i + 2] = f.rgb[3 * i];
      }
    return { ...f, rgb };
  };
  const want = src.map(recolour);
  await writeFile(`${out}/kf.png`, encodePng(want[0]));
  await writePictureClip(`${out}/kf.png`, `${out}/kf.nut`);
  const shades = (f: any, n: number) => {
    const m = [0, 0, 0];
    let c = 0;
    for (let i = 0; i < masks[n]!.length; i++)
      if (masks[n]![i]) {
        c++;
        for (let k = 0; k < 3; k++) m[k] += f.rgb[3 * i + k];
      }
    return m.map((v) => v / c);
  };
  const d = (a: number[], b: number[]) => Math.hypot(...a.map((v, i) => v - b[i]!));
  for (const [label, set] of [
    ['pnp .5', {}],
    ['pnp .2', { strength: 0.2 }],
    ['sdedit .3', { technique: 'sdedit', strength: 0.3 }],
    ['sdedit .5', { technique: 'sdedit', strength: 0.5 }],
    ['none', { technique: 'none' }],
  ] as const) {
    await rm(`${out}/work`, { recursive: true, force: true });
    const settings = {
      ...defaultSettings((set as any).technique),
      prompt: s.caption,
      sourcePrompt: s.caption,
      codec: 'ffv1',
      sound: 'none',
      keyframes: [{ frame: 0, sha256: 'a'.repeat(64) }],
      ...set,
    };
    const t0 = Date.now();
    const report = await runEdit(
      {
        inputPath: s.clipPath,
        outputPath: `${out}/o.mkv`,
        modelDir: R + 'models/demo',
        device: 'cpu',
        cacheDir: `${out}/cache`,
        workDir: `${out}/work`,
        settings,
        keyframePaths: [{ frame: 0, path: `${out}/kf.nut` }],
        clipSha256: 'c' + name.padEnd(63, '0').replace(/[^0-9a-f]/g, '0'),
        inversionsDir: `${out}/inv`,
      } as any,
      { onProgress: () => undefined },
      realParts,
    );
    const got: any[] = [];
    for await (const f of decodeFrames(await probeClip(`${out}/o.mkv`))) got.push(f);
    const ps = got.map((f, n) => psnr(f.rgb, want[n].rgb));
    const hue = got.filter((f, n) => d(shades(f, n), shades(want[n], n)) < d(shades(f, n), shades(src[n], n))).length;
    console.log(
      name,
      label,
      'psnr mean',
      (ps.reduce((a, b) => a + b) / ps.length).toFixed(2),
      'f0',
      ps[0]!.toFixed(2),
      'last',
      ps.at(-1)!.toFixed(2),
      'hue',
      hue,
      '/',
      got.length,
      'untouched',
      (src.map((f, n) => psnr(f.rgb, want[n].rgb)).reduce((a, b) => a + b) / src.length).toFixed(2),
      ((Date.now() - t0) / 1000) | 0,
      's',
      report.notices.length,
    );
  }
}
