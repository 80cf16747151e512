// Runs in a page: the machine of a simulated Premiere, whose work is done in Node; machine-calls.ts is the other end.

import { Violation } from '../premiere-sim/rules.ts';
import type { SimMachine } from '../premiere-sim/sim-machine.ts';
import type { MachineCalls } from './machine-calls.ts';

type Call = <Name extends keyof MachineCalls>(
  name: Name,
  ...args: Parameters<MachineCalls[Name]>
) => Promise<Awaited<ReturnType<MachineCalls[Name]>>>;

/** `call` reaches Node. */
export function createPageMachine(call: Call, folder: string): SimMachine {
  return {
    dataFolder: `${folder}/plugin-data`,
    homeFolder: `${folder}/home`,
    async probe(path) {
      const { ticksPerFrame, start, ...media } = await call('probe', path);
      return { ...media, ticksPerFrame: BigInt(ticksPerFrame), start: BigInt(start) };
    },
    render: (request) => call('render', request),
    reveal: (from, to, share) => call('reveal', from, to, share),
    fs: {
      readFile: (path, { encoding }) => withText(encoding, () => call('readText', path)),
      writeFile: (path, text, { encoding, flag = 'w' }) =>
        withText(encoding, () => call('writeText', path, text, flag)),
      open: (path, flag) => call('open', path, flag),
      close: (fd) => call('close', fd),
      async read(fd, buffer, offset, length, position) {
        requireBuffer(buffer);
        const letters = atob(await call('read', fd, length, position));
        const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
        new Uint8Array(buffer).set(bytes, offset);
        return { bytesRead: bytes.length };
      },
      async write(fd, buffer, offset, length, position) {
        requireBuffer(buffer);
        const bytes = new Uint8Array(buffer, offset, length);
        const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
        return { bytesWritten: await call('write', fd, btoa(letters), position) };
      },
      async lstat(path) {
        const { size, isFolder, isLink } = await call('stat', path);
        return { size, isDirectory: () => isFolder, isSymbolicLink: () => isLink };
      },
      rename: (from, to) => call('rename', from, to),
      unlink: (path) => call('unlink', path),
      mkdir: (path) => call('makeFolder', path),
      readdir: (path) => call('list', path),
    },
  };
}

async function withText<T>(encoding: string, work: () => Promise<T>): Promise<T> {
  if (encoding !== 'utf-8') throw new Violation('encoding', encoding);
  return work();
}

/** The panel is another window, so its buffers are not instances of this one's class. */
function requireBuffer(buffer: unknown): void {
  const kind = Object.prototype.toString.call(buffer);
  if (kind !== '[object ArrayBuffer]') throw new Violation('array-buffer', kind);
}
