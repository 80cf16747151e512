import { describe, expect, test } from 'vitest';
import { entriesOf, plist, type Entry } from './entries.ts';
import { placesOf } from './places.ts';

const installed = { version: '1.2.3', hasSystemd: true };

function pathsOf(entries: readonly Entry[]): string[] {
  return entries.flatMap((entry) => (entry.kind === 'registry' ? [] : [entry.path]));
}

describe('on Windows', () => {
  const places = placesOf({}, 'win32', 'C:\\Users\\Jörg Müller');
  const versionDir = `${places.versionsDir}\\1.2.3-abcd`;
  const entries = entriesOf(places, { ...installed, versionDir });
  const registry = entries.flatMap((entry) => (entry.kind === 'registry' ? [entry] : []));

  test('the registry starts the program itself, with its paths in quotes, and never cmd.exe', () => {
    const program = `"${versionDir}\\runtime\\node.exe" "${versionDir}\\app\\server\\main.mjs"`;
    expect(registry.map(({ value }) => value).filter((value) => value.includes('node.exe'))).toEqual([
      `${program} start --no-wait`,
      `${program} start "%1"`,
    ]);
    expect(registry.map(({ value }) => value).join('\n')).not.toMatch(/cmd/i);
  });

  test('everything in the registry belongs to the user, and the scheme is marked as one', () => {
    expect(registry.every(({ key }) => key.startsWith('HKCU\\'))).toBe(true);
    expect(registry).toContainEqual(expect.objectContaining({ name: 'URL Protocol', value: '' }));
  });

  test('the script names no folder, so that the code page of a console does not matter', () => {
    const script = entries.find((entry) => entry.kind === 'file' && entry.path === places.launcher);
    expect(script).toMatchObject({ text: expect.not.stringContaining('Users') as unknown });
  });
});

describe('on Linux', () => {
  const places = placesOf({}, 'linux', '/home/jörg müller');
  const facts = { ...installed, versionDir: '/v' };

  test('systemd starts the server at login where it runs the machine, otherwise the desktop does', () => {
    const unit = '/home/jörg müller/.config/systemd/user/tokenflow.service';
    const autostart = '/home/jörg müller/.config/autostart/tokenflow.desktop';
    expect(pathsOf(entriesOf(places, facts))).toContain(unit);
    expect(pathsOf(entriesOf(places, facts))).not.toContain(autostart);
    const without = pathsOf(entriesOf(places, { ...facts, hasSystemd: false }));
    expect(without).toContain(autostart);
    expect(without).not.toContain(unit);
  });

  test('the folders of the user are respected', () => {
    const moved = placesOf({ XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: '/d' }, 'linux', '/home/u');
    const paths = pathsOf(entriesOf(moved, facts));
    expect(paths).toContain('/c/mimeapps.list');
    expect(paths).toContain('/d/applications/tokenflow.desktop');
  });

  test('percent signs and quotes of a path are written as the unit and the desktop entry want them', () => {
    const odd = placesOf({}, 'linux', '/home/50% "a"');
    const texts = entriesOf(odd, facts).flatMap((entry) => (entry.kind === 'file' ? [entry.text] : []));
    expect(texts.join('\n')).toContain('ExecStart="/home/50%% \\"a\\"/.local/lib/tokenflow/tokenflow" serve --no-open');
    expect(texts.join('\n')).toContain('Exec="/home/50%% \\\\"a\\\\"/.local/lib/tokenflow/tokenflow" start %u');
  });
});

describe('on macOS', () => {
  const places = placesOf({}, 'darwin', '/Users/jörg');
  const entries = entriesOf(places, { ...installed, versionDir: '/v' });
  const textOf = (end: string): string => {
    const found = entries.find((entry) => entry.kind === 'file' && entry.path.endsWith(end));
    return found?.kind === 'file' ? found.text : '';
  };

  test('the app has the scheme tokenflow, and its executable is where the system looks', () => {
    const info = textOf('TokenFlow.app/Contents/Info.plist');
    expect(info).toContain('<key>CFBundleURLSchemes</key><array><string>tokenflow</string></array>');
    expect(info).toContain('<key>CFBundleExecutable</key><string>TokenFlow</string>');
    expect(entries).toContainEqual(
      expect.objectContaining({ path: '/Users/jörg/Applications/TokenFlow.app/Contents/MacOS/TokenFlow', mode: 0o755 }),
    );
  });

  test('the agent starts the server at login, and again only after a failure', () => {
    const agent = textOf('Library/LaunchAgents/tokenflow.premiere.server.plist');
    expect(agent).toContain('<key>RunAtLoad</key><true/>');
    expect(agent).toContain('<key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>');
    expect(agent).toContain('tokenflow</string><string>serve</string>');
  });

  test('text of a property list is escaped', () => {
    expect(plist({ a: '<&>' })).toContain('<string>&lt;&amp;&gt;</string>');
  });

  test('no two places differ in case only: its disks do not tell them apart', () => {
    const paths = [...pathsOf(entries), places.versionsDir, places.currentFile];
    expect(new Set(paths.map((one) => one.toLowerCase())).size).toBe(new Set(paths).size);
  });
});
