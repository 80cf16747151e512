// Packs a built panel into a .ccx, which is a ZIP with another name. The same files give the same bytes: names are
// sorted, times are fixed, and no field depends on the machine.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';

/** 1 January 1980, the first time that a ZIP can hold. */
const dosDate = 0x21;
const dosTime = 0;
const versionNeeded = 20;
const deflate = 8;
const utf8Names = 0x0800;

/** The bytes of a .ccx with everything below `folder`, without source maps. */
export function packCcx(folder) {
  const names = listFiles(folder).filter((name) => !name.endsWith('.map'));
  const locals = [];
  const directory = [];
  let offset = 0;
  for (const name of names) {
    const content = readFileSync(path.join(folder, name));
    const packed = deflateRawSync(content, { level: 9 });
    const nameBytes = Buffer.from(name, 'utf8');
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(versionNeeded, 0);
    facts.writeUInt16LE(utf8Names, 2);
    facts.writeUInt16LE(deflate, 4);
    facts.writeUInt16LE(dosTime, 6);
    facts.writeUInt16LE(dosDate, 8);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), facts, nameBytes, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    const made = Buffer.alloc(2);
    made.writeUInt16LE(versionNeeded, 0);
    directory.push(Buffer.from('PK\x01\x02', 'latin1'), made, facts, rest, nameBytes);
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(names.length, 4);
  end.writeUInt16LE(names.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, central, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

/** Paths below `folder` with forward slashes, in the order of their bytes. */
export function listFiles(folder, below = '') {
  const entries = readdirSync(path.join(folder, below), { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? listFiles(folder, name) : [name];
    })
    .sort((a, b) => (a < b ? -1 : 1));
}
