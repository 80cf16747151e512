// The manifest, against what is known of manifests and against the code that it announces.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandId, panelId } from '../../plugin/src/host/premiere/entry-points.ts';
import { companionPorts } from '../../protocol/ports.ts';
import { launchSchemes } from '../premiere-sim/sim-uxp.ts';
import { manifestFor } from '../../scripts/panel/build.mjs';
import { readSourceFiles } from '../source-files.ts';

const root = path.join(import.meta.dirname, '../..');

/**
 * The keys of a manifest, and those without which it is none (AdobeDocs/uxp-premiere-pro, plugins/concepts/manifest).
 * `addon` is left out: it is for plugins with native libraries.
 */
const keys = {
  required: ['manifestVersion', 'id', 'name', 'version', 'host', 'entrypoints'],
  optional: ['main', 'icons', 'strings', 'requiredPermissions', 'featureFlags'],
  entrypoint: [
    'type',
    'id',
    'label',
    'description',
    'icons',
    'minimumSize',
    'maximumSize',
    'preferredDockedSize',
    'preferredFloatingSize',
  ],
  icon: ['width', 'height', 'path', 'scale', 'theme', 'species'],
} as const;

/**
 * What each permission is for (the same page, PermissionsDefinition): the code that needs it. An API without its permission
 * is denied, and one that nothing uses is asked of the user for nothing.
 */
const uses = {
  network: /\bWebSocket\b|\bfetch\(['"`]|\bXMLHttpRequest\b/,
  localFileSystem: /\brequire\('fs'\)|\blocalFileSystem\b/,
  clipboard: /\bclipboard\.(setContent|getContent|writeText|readText)\b/,
  launchProcess: /\bshell\.(openExternal|openPath)\b/,
  webview: /['"<]webview\b/,
  allowCodeGenerationFromStrings: /\beval\(|\bnew Function\(/,
  enableUserInfo: /\buserInfo\b/,
  ipc: /\bpluginManager\b/,
} as const;

/** The sources that are in the panel for Premiere; those of browsers are not. */
const panelSources = readSourceFiles(['plugin/src', 'protocol']).filter(
  ({ path: file }) => !/\.test\.ts$|\/testing\/|\/host\/browser\/|\/web-main\.ts$/.test(file),
);

interface Size {
  readonly width: number;
  readonly height: number;
}
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
    readonly minimumSize?: Size;
    readonly maximumSize?: Size;
    readonly preferredDockedSize?: Size;
    readonly preferredFloatingSize?: Size;
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

  test('has every key that is required, and none that UXP does not know', () => {
    expect(Object.keys(manifest)).toEqual(expect.arrayContaining([...keys.required]));
    expect([...keys.required, ...keys.optional]).toEqual(expect.arrayContaining(Object.keys(manifest)));
    for (const entrypoint of manifest.entrypoints) {
      expect(keys.entrypoint).toEqual(expect.arrayContaining(Object.keys(entrypoint)));
    }
    for (const icon of [...(panel?.icons ?? []), ...manifest.icons]) {
      expect(keys.icon).toEqual(expect.arrayContaining(Object.keys(icon)));
    }
  });

  test('prefers sizes of the panel between its least and its largest', () => {
    const sizes = [panel?.preferredDockedSize, panel?.preferredFloatingSize];
    for (const side of ['width', 'height'] as const) {
      for (const size of sizes) {
        expect(size?.[side]).toBeGreaterThanOrEqual(panel?.minimumSize?.[side] ?? Infinity);
        expect(size?.[side]).toBeLessThanOrEqual(panel?.maximumSize?.[side] ?? 0);
      }
    }
  });

  test.each(Object.entries(uses))(
    'asks for the permission %s exactly when the code uses what it is for',
    (name, use) => {
      const users = panelSources.filter(({ text }) => use.test(text)).map(({ path: file }) => file);
      expect(Object.keys(manifest.requiredPermissions).includes(name), users.join(', ')).toBe(users.length > 0);
    },
  );

  test('asks for no permission that UXP does not know', () => {
    expect(Object.keys(uses)).toEqual(expect.arrayContaining(Object.keys(manifest.requiredPermissions)));
  });

  // Alerts and Spectrum Web Components need a flag of the manifest (the same page, FeatureFlags).
  test('has no feature flag, and the code uses nothing that needs one', () => {
    expect(manifest).not.toHaveProperty('featureFlags');
    const flagged = /(?<![.\w])(alert|confirm|prompt)\(|@swc-uxp-wrappers/;
    expect(panelSources.filter(({ text }) => flagged.test(text)).map(({ path: file }) => file)).toEqual([]);
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
