// The manifest, against what is known of manifests and against the code that it announces.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandId, panelId } from '../../plugin/src/host/premiere/entry-points.ts';
import { companionPorts } from '../../protocol/ports.ts';
import { launchSchemes } from '../premiere-sim/sim-uxp.ts';
import { manifestFor } from '../../scripts/panel/build.mjs';

const root = path.join(import.meta.dirname, '../..');

interface Icon {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly scale: readonly number[];
  readonly theme: readonly string[];
}
interface Manifest {
  readonly manifestVersion: number;
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly main: string;
  readonly host: { readonly app: string; readonly minVersion: string };
  readonly entrypoints: readonly {
    readonly type: string;
    readonly id: string;
    readonly label: Readonly<Record<string, string>>;
    readonly icons?: readonly Icon[];
    readonly minimumSize?: { readonly width: number };
  }[];
  readonly icons: readonly Icon[];
  readonly requiredPermissions: {
    readonly network: { readonly domains: readonly string[] | 'all' };
  };
}

const manifest = JSON.parse(readFileSync(path.join(root, 'manifest.json'), 'utf8')) as Manifest;
const panel = manifest.entrypoints.find(({ type }) => type === 'panel');

/** Width and height that a PNG says it has. */
function sizeOfPng(file: string): { width: number; height: number } {
  const bytes = readFileSync(file);
  expect(bytes.toString('latin1', 1, 4)).toBe('PNG');
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

describe('the manifest', () => {
  test('is one for a script plugin of Premiere 26.3 or later', () => {
    expect(manifest.manifestVersion).toBe(5);
    // An object: a package with an array of hosts is refused.
    expect(manifest.host).toEqual({ app: 'premierepro', minVersion: '26.3.0' });
    expect(manifest.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(manifest.main).toBe('index.html');
    expect(manifest.id).toMatch(/^[a-z.]+$/);
  });

  test('has the version of the package, which the build writes into it', () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;
    expect(manifest.version).toBe(version);
    expect((JSON.parse(manifestFor()) as Manifest).version).toBe(version);
  });

  test('announces what the code sets up', () => {
    const announced = manifest.entrypoints.map(({ type, id }) => [type, id]);
    expect(announced).toEqual([
      ['panel', panelId],
      ['command', commandId],
    ]);
    // Labels in several languages are reported to be refused.
    for (const { label } of manifest.entrypoints) expect(Object.keys(label)).toEqual(['default']);
    expect(panel?.minimumSize?.width).toBe(240);
  });

  test('asks for no more than the flow needs', () => {
    expect(manifest.requiredPermissions).toEqual({
      // Both addresses with the port: without it they are reported to be refused.
      network: {
        domains: ['127.0.0.1', 'localhost'].flatMap((host) => companionPorts.map((port) => `ws://${host}:${port}`)),
      },
      // Media, presets of the system and the folder beside the project lie anywhere.
      localFileSystem: 'fullAccess',
      // There is no permission for writing alone.
      clipboard: 'readAndWrite',
      // The app's own address, which starts it; folders: the log's; and pictures: saved frames, to be painted on.
      launchProcess: { schemes: launchSchemes, extensions: ['', '.png'] },
    });
  });

  // Premiere 26.5 ignores a host without scheme or port, and refuses everything for a list that has 'all'.
  test('names every address with its scheme and its port, and none of another machine', () => {
    const { domains } = manifest.requiredPermissions.network;
    expect(domains.length).toBeGreaterThan(0);
    for (const domain of domains) expect(domain).toMatch(/^(ws|http):\/\/(127\.0\.0\.1|localhost):\d+$/);
  });

  test('allows every address only when it is built so', () => {
    const { requiredPermissions } = JSON.parse(manifestFor({ anyNetwork: true })) as Manifest;
    expect(requiredPermissions.network.domains).toBe('all');
  });

  test('has an icon for every theme, each drawn at the size it says', () => {
    const themes = (panel?.icons ?? []).flatMap(({ theme }) => theme);
    expect(new Set(themes)).toEqual(new Set(['darkest', 'dark', 'medium', 'lightest', 'light']));
    for (const icon of [...(panel?.icons ?? []), ...manifest.icons]) {
      for (const scale of icon.scale) {
        const file = scale === 1 ? icon.path : icon.path.replace('.png', `@${scale}x.png`);
        const size = { width: icon.width * scale, height: icon.height * scale };
        expect(sizeOfPng(path.join(root, 'plugin', file))).toEqual(size);
      }
    }
  });
});
