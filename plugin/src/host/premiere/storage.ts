// Small texts in the panel's data folder, a file each. A text is written beside the old one and renamed, so that a
// crash leaves the old or the new, whole.

import { createTurns } from '../../../../protocol/turns.ts';
import type { HostStorage } from '../host.ts';
import { HostError } from '../problems.ts';
import type { Surroundings } from './api.ts';
import { removeFile, sizeOfFile } from './open-file.ts';

const folder = 'plugin-data:/state';

export function createStorage({ fs, uxp }: Surroundings, log: (line: string) => void): HostStorage {
  const { secureStorage } = uxp.storage;
  // Writes of the same key must not overtake each other.
  const turns = createTurns();

  function pathOf(key: string): string {
    if (!/^[\w.-]+$/.test(key)) throw new HostError('host-refused', `Bad key ${key}.`);
    return `${folder}/${key}.txt`;
  }

  async function read(key: string): Promise<string | null> {
    await turns.over();
    const path = pathOf(key);
    // Between the removal of the old text and the renaming there is only the new one, for a panel that died there or
    // one that is just closing; looked at once more, because the renaming may fall between two looks.
    for (const place of [path, freshOf(path), path]) {
      if ((await sizeOfFile(fs, place)) === null) continue;
      const text = await fs.readFile(place, { encoding: 'utf-8' }).catch(() => null);
      if (typeof text === 'string') return text;
    }
    return null;
  }

  async function replace(path: string, text: string | null): Promise<void> {
    if (text === null) return removeFile(fs, path);
    await fs.mkdir(folder, { recursive: true }).catch(() => undefined);
    const fresh = freshOf(path);
    await fs.writeFile(fresh, text, { encoding: 'utf-8' });
    // Renaming onto a file that is there is refused on some systems.
    try {
      await fs.rename(fresh, path);
    } catch {
      await removeFile(fs, path);
      await fs.rename(fresh, path);
    }
  }

  async function write(key: string, text: string | null): Promise<void> {
    const path = pathOf(key);
    try {
      await turns.take(() => replace(path, text));
    } catch (error) {
      throw new HostError('file-unwritable', `${path}: ${String(error)}`, error);
    }
  }

  return {
    read,
    write,
    async readSecret(key) {
      const name = `secret.${key}`;
      try {
        const bytes = (await secureStorage?.getItem(name)) ?? null;
        if (bytes !== null && bytes.length > 0) return fromUtf8(bytes);
      } catch (error) {
        log(`The secure storage did not answer: ${String(error)}`);
      }
      return read(name);
    },
    async writeSecret(key, text) {
      const name = `secret.${key}`;
      try {
        if (secureStorage !== undefined) {
          await (text === null ? secureStorage.removeItem(name) : secureStorage.setItem(name, text));
          await write(name, null);
          return;
        }
      } catch (error) {
        log(`The secure storage refused: ${String(error)}`);
      }
      await write(name, text);
    },
  };
}

function freshOf(path: string): string {
  return `${path}.new`;
}

/** UXP has no TextDecoder. */
export function fromUtf8(bytes: Uint8Array): string {
  const escaped = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return decodeURIComponent(escaped);
}
