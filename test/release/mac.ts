// The archive for macOS, as far as it can be checked without one: nothing of it is run here.
//
//   npm run test:release:mac [-- --archive FILE]
//
// Without --archive the archive is made first. Needs python3, whose plistlib reads the property lists.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { entriesOf } from '../../companion-server/src/installation/entries.ts';
import { placesOf } from '../../companion-server/src/installation/places.ts';
import { filesOfZip, makeZip, refuseSameNames, version } from './archived-files.ts';
import { createChecks, must } from './checks.ts';
import { readMachO, type MachO } from './mach-o.ts';

const programs = ['runtime/node', 'runtime/ffmpeg', 'runtime/ffprobe'];
const scripts = ['tokenflow', 'TokenFlow.command'];
/** Of the system. */
const systemLibrary = /^\/(usr\/lib|System\/Library)\//;
/** What docs/install.md and README.md say is needed. */
const neededSystem = 15;

const { values } = parseArgs({ options: { archive: { type: 'string' } } });

async function test(archive: string): Promise<void> {
  const checks = createChecks();
  const step: typeof checks.step = (name, run) => checks.step(name, run);
  const files = filesOfZip(archive);
  const names = [...files.keys()];
  const machO = new Map(
    names.flatMap((name): [string, MachO][] => {
      const read = readMachO(files.get(name)?.data ?? Buffer.alloc(0));
      return read === null ? [] : [[name, read]];
    }),
  );

  await step('programs and scripts can be run, everything else can be read', () => {
    for (const [name, { mode }] of files) {
      const expected = [...programs, ...scripts].includes(name) ? 0o755 : 0o644;
      must(mode === expected, `${name} has the permissions ${mode.toString(8)}, not ${expected.toString(8)}.`);
    }
  });
  await step('no two names differ in case or in the form of their accents only', () => refuseSameNames(names));
  await step(`programs and libraries are for arm64 and macOS ${neededSystem} or earlier, and signed`, () => {
    for (const name of programs) must(machO.has(name), `${name} is no program of macOS.`);
    must(
      [...machO.keys()].some((name) => name.endsWith('/onnxruntime_binding.node')),
      'ONNX Runtime is missing.',
    );
    for (const [name, { isArm64, isSigned, leastSystem }] of machO) {
      must(isArm64, `${name} is for another processor.`);
      must(isSigned, `${name} has no signature, not even that of its linker.`);
      must(
        Number(leastSystem ?? Number.NaN) <= neededSystem,
        `${name} is for macOS ${leastSystem ?? 'of no version'}.`,
      );
    }
  });
  await step('every library that they load is in the archive or of the system', () => {
    for (const [name, { libraries, searchPaths }] of machO) {
      for (const library of libraries) {
        const candidates = searchPaths.map((folder) => library.replace('@rpath', folder));
        const inside = [library, ...candidates]
          .filter((one) => one.startsWith('@loader_path'))
          .map((one) => path.posix.join(path.posix.dirname(name), one.slice('@loader_path'.length)));
        // Its own name, which a library has first.
        const isOwn = path.posix.basename(library) === path.posix.basename(name);
        const isThere = systemLibrary.test(library) || isOwn || inside.some((one) => files.has(one));
        must(isThere, `${name} loads ${library}, looked for in ${searchPaths.join(', ') || 'no folder'}.`);
      }
    }
  });
  await step('no program is of another system', () => {
    for (const [name, { data }] of files) {
      const start = Buffer.from(data.subarray(0, 4)).toString('latin1');
      must(!start.startsWith('MZ') && start !== '\x7fELF', `${name} is a program of another system.`);
    }
  });
  await step('the scripts are understood by sh', () => {
    for (const name of scripts) execFileSync('sh', ['-n'], { input: files.get(name)?.data ?? '' });
  });
  await step('the property lists of an installation can be read, and start what is there', () => {
    const places = placesOf({}, 'darwin', '/Users/Jörg & Söhne <1>');
    const entries = entriesOf(places, { versionDir: `${places.versionsDir}/1`, version, hasSystemd: false });
    const written = entries.flatMap((entry) => (entry.kind === 'file' ? [entry] : []));
    const lists = written.filter((entry) => entry.path.endsWith('.plist'));
    must(lists.length === 2, `There are ${lists.length}.`);
    const read = lists.map(({ text }) => readPropertyList(text));
    const info = read.find((list) => 'CFBundleExecutable' in list);
    const agent = read.find((list) => 'ProgramArguments' in list);
    const executable = `/MacOS/${String(info?.['CFBundleExecutable'])}`;
    must(
      written.some((entry) => entry.path.endsWith(executable) && entry.mode === 0o755),
      `No script is ${executable}.`,
    );
    const [program] = agent?.['ProgramArguments'] as string[];
    must(program === places.launcher && written.some((entry) => entry.path === program), `No script is ${program}.`);
  });
}

/** By a reader that is not ours. */
function readPropertyList(text: string): Record<string, unknown> {
  const code = 'import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))';
  return JSON.parse(execFileSync('python3', ['-c', code], { input: text, encoding: 'utf8' })) as Record<
    string,
    unknown
  >;
}

try {
  await test(path.resolve(values.archive ?? makeZip('mac-arm64')));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
