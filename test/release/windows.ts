// An archive for Windows, as far as it can be checked without one: nothing of it is run here. Wine, which runs the one for x64,
// has libraries of its own that a fresh Windows lacks.
//
//   npm run test:release:windows [-- --archive FILE]
//
// Without --archive that for arm64 is made first.

import path from 'node:path';
import { parseArgs } from 'node:util';
import { filesOfZip, makeZip, refuseSameNames, version } from './archived-files.ts';
import { createChecks, must } from './checks.ts';
import { readPortableExecutable, type PortableExecutable } from './pe.ts';

/** There is no build of ffmpeg for arm64: Windows 11 runs those for x64 by emulation, as programs of their own. */
const alwaysX64 = ['runtime/ffmpeg.exe', 'runtime/ffprobe.exe'];
/** Where an installation puts the program, with the longest name that Windows gives a user's folder. */
const installedIn = `C:\\Users\\${'u'.repeat(20)}\\AppData\\Local\\Programs\\TokenFlow\\versions\\incoming-${version}-01234567\\`;
const longestPath = 259;
/** Of every Windows 10: the umbrella libraries (https://learn.microsoft.com/windows/win32/apiindex/windows-umbrella-libraries), and old ones. */
const systemLibrary =
  /^(api-ms-win-.*|advapi32|avicap32|bcrypt|crypt32|d3d12|dbghelp|gdi32|iphlpapi|kernel32|msvcrt|ole32|oleaut32|setupapi|shell32|shlwapi|user32|userenv|winmm|ws2_32)\.dll$/;

const { values } = parseArgs({ options: { archive: { type: 'string' } } });

async function test(archive: string): Promise<void> {
  const checks = createChecks();
  const step: typeof checks.step = (name, run) => checks.step(name, run);
  const files = filesOfZip(archive);
  const { target } = JSON.parse(Buffer.from(files.get('app/release.json')?.data ?? '{}').toString()) as {
    readonly target?: string;
  };
  const own = /^win-(x64|arm64)$/.exec(target ?? '')?.[1];
  must(own !== undefined, `The archive is for ${target ?? 'no system'}.`);
  const programs = new Map(
    [...files].flatMap(([name, { data }]): [string, PortableExecutable][] => {
      const read = readPortableExecutable(data);
      return read === null ? [] : [[name, read]];
    }),
  );
  await step(`Node.js and ONNX Runtime are there, and for ${own}`, () => {
    must(programs.has('runtime/node.exe'), 'Node.js is missing.');
    for (const library of ['onnxruntime_binding.node', 'onnxruntime.dll', 'DirectML.dll']) {
      must(
        [...programs.keys()].some((name) => name.endsWith(`/${library}`)),
        `${library} is missing.`,
      );
    }
    for (const [name, { processor }] of programs) {
      const expected = alwaysX64.includes(name) ? 'x64' : own;
      must(processor === expected, `${name} is for ${processor}, not ${expected}.`);
    }
    must(
      alwaysX64.every((name) => programs.has(name)),
      'ffmpeg or ffprobe is missing.',
    );
  });
  await step('every library that they load is beside them or of the system', () => {
    for (const [name, { libraries }] of programs) {
      for (const library of libraries) {
        const beside = [...files.keys()].some(
          (file) => path.posix.dirname(file) === path.posix.dirname(name) && file.toLowerCase().endsWith(`/${library}`),
        );
        must(beside || systemLibrary.test(library), `${name} loads ${library}, which is not there.`);
      }
    }
  });
  await step('no program is of another system', () => {
    for (const [name, { data }] of files) {
      const start = Buffer.from(data.subarray(0, 4)).toString('latin1');
      must(start !== '\xcf\xfa\xed\xfe' && start !== '\x7fELF', `${name} is a program of another system.`);
    }
  });
  await step('packages have only what is loaded: no sources, types, maps and texts', () => {
    for (const name of files.keys()) {
      const isOfPackage = name.startsWith('app/node_modules/');
      must(!isOfPackage || !/\.(md|map|ts|pdb|lib)$|\/dist\/esm\//.test(name), `Nothing loads ${name}.`);
    }
  });
  await step('Windows can write every name, and none is too long where it is installed', () => {
    refuseSameNames(files.keys());
    for (const name of files.keys()) {
      for (const part of name.split('/')) {
        const isReserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part);
        must(!isReserved && !/[<>:"|?*\\]|[. ]$/.test(part), `Windows does not take the name ${name}.`);
      }
      must(installedIn.length + name.length <= longestPath, `${name} is too long.`);
    }
  });
  await step('the script ends its lines as cmd.exe wants it', () => {
    const text = Buffer.from(files.get('TokenFlow.cmd')?.data ?? '').toString('latin1');
    must(text.startsWith('@echo off\r\n') && !/[^\r]\n/.test(text), 'A line ends otherwise.');
  });
}

try {
  await test(path.resolve(values.archive ?? makeZip('win-arm64')));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
