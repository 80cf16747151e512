// What RFC 6455 says of single frames and of messages in pieces. The list is ours; the sections are the RFC's.

import { byteByByte, bytesOf, cut, fragments, message, protocolError, type FramingCase } from './framing-case.ts';
import { closePayload, frame, opcodes } from './raw-socket.ts';

const { continuation, text, binary, close, ping, pong } = opcodes;

const named = Object.entries(opcodes);

const reservedBits: readonly FramingCase[] = [1, 2, 3, 4, 5, 6, 7].flatMap((reserved) =>
  named.map(([name, opcode]) => ({
    section: '5.2',
    name: `reserved bits ${reserved.toString(2).padStart(3, '0')} on ${name}`,
    sends: [frame({ opcode, reserved, payload: opcode === close ? closePayload(1000) : 'x' })],
    hears: [protocolError],
  })),
);

const reservedOpcodes: readonly FramingCase[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) =>
  [true, false].map((fin) => ({
    section: '5.2',
    name: `opcode ${opcode}, ${fin ? 'final' : 'not final'}`,
    sends: [frame({ opcode, fin, payload: 'x' })],
    hears: [protocolError],
  })),
);

const masking: readonly FramingCase[] = [
  ...named.map(([name, opcode]) => ({
    section: '5.1',
    name: `${name} without a mask`,
    sends: [frame({ opcode, isMasked: false, payload: opcode === close ? closePayload(1000) : 'x' })],
    hears: [protocolError],
  })),
  {
    section: '5.1',
    name: 'an empty ping without a mask',
    sends: [frame({ opcode: ping, isMasked: false })],
    hears: [protocolError],
  },
];

const controlFrames: readonly FramingCase[] = [close, ping, pong].flatMap((opcode) => [
  {
    section: '5.5',
    name: `control frame ${opcode} in pieces`,
    sends: [frame({ opcode, fin: false, payload: opcode === close ? closePayload(1000) : 'x' })],
    hears: [protocolError],
  },
  ...[126, 127, 1_000, 65_536].map((length) => ({
    section: '5.5',
    name: `control frame ${opcode} of ${length} bytes`,
    sends: [frame({ opcode, payload: Buffer.alloc(length, 0x41) })],
    hears: [protocolError],
  })),
  {
    section: '5.5',
    name: `control frame ${opcode} whose short length is written in 16 bits`,
    sends: [frame({ opcode, payload: closePayload(1000), lengthBits: 16 })],
    hears: [protocolError],
  },
]);

const pings: readonly FramingCase[] = [
  ...[0, 1, 2, 64, 124, 125].map((length) => ({
    section: '5.5.3',
    name: `a ping of ${length} bytes`,
    sends: [frame({ opcode: ping, payload: Buffer.alloc(length, 0x41) })],
    hears: [{ pong: 'A'.repeat(length) }],
  })),
  {
    section: '5.5.2',
    name: 'a ping of bytes that are no text',
    sends: [frame({ opcode: ping, payload: bytesOf(0x00, 0xff, 0xfe, 0x80) })],
    hears: [{ pong: bytesOf(0x00, 0xff, 0xfe, 0x80).toString('latin1') }],
  },
  {
    section: '5.5.2',
    name: 'a ping byte by byte',
    sends: byteByByte(frame({ opcode: ping, payload: 'slow' })),
    hears: [{ pong: 'slow' }],
  },
  {
    section: '5.5.3',
    name: 'ten pings, in their order',
    sends: Array.from({ length: 10 }, (_, i) => frame({ opcode: ping, payload: `p${i}` })),
    hears: Array.from({ length: 10 }, (_, i) => ({ pong: `p${i}` })),
  },
  ...[0, 1, 125].map((length) => ({
    section: '5.5.3',
    name: `a pong of ${length} bytes that nobody asked for`,
    sends: [frame({ opcode: pong, payload: Buffer.alloc(length) }), frame({ opcode: ping, payload: 'after' })],
    hears: [{ pong: 'after' }],
  })),
];

const fragmentation: readonly FramingCase[] = [
  ...[1, 2, 3, 10].map((count) => ({
    section: '5.4',
    name: `a message in ${count} pieces`,
    sends: fragments(cut(message(1), count)),
    hears: [{ reply: 1 }],
  })),
  {
    section: '5.4',
    name: 'a message of one byte per piece, all at once',
    sends: [Buffer.concat(fragments(byteByByte(message(1))))],
    hears: [{ reply: 1 }],
  },
  {
    section: '5.4',
    name: 'a message in pieces of which the first, one in the middle and the last are empty',
    sends: fragments([bytesOf(), ...cut(message(1), 2), bytesOf(), bytesOf(0x20), bytesOf()]),
    hears: [{ reply: 1 }],
  },
  {
    section: '5.4',
    name: 'a message in three pieces, byte by byte',
    sends: byteByByte(Buffer.concat(fragments(cut(message(1), 3)))),
    hears: [{ reply: 1 }],
  },
  {
    section: '5.4',
    name: 'two messages after each other, each in pieces',
    sends: [...fragments(cut(message(1), 3)), ...fragments(cut(message(2), 2))],
    hears: [{ reply: 1 }, { reply: 2 }],
  },
  ...[1, 5].map((count) => {
    const [first = bytesOf(), second = bytesOf()] = fragments(cut(message(1), 2));
    const between = Array.from({ length: count }, (_, i) => frame({ opcode: ping, payload: `${i}` }));
    return {
      section: '5.4',
      name: `${count} pings between two pieces`,
      sends: [first, ...between, second],
      hears: [...between.map((_, i) => ({ pong: `${i}` })), { reply: 1 }],
    };
  }),
  {
    section: '5.4',
    name: 'a pong between two pieces',
    sends: fragments(cut(message(1), 2)).flatMap((piece) => [piece, frame({ opcode: pong })]),
    hears: [{ reply: 1 }],
  },
  {
    section: '5.4',
    name: 'a close between two pieces',
    sends: [frame({ opcode: text, payload: '{', fin: false }), frame({ opcode: close, payload: closePayload(1000) })],
    hears: [{ close: [1000] }],
  },
  ...[true, false].map((fin) => ({
    section: '5.4',
    name: `a continuation of nothing, ${fin ? 'final' : 'not final'}`,
    sends: [frame({ opcode: continuation, payload: 'x', fin })],
    hears: [protocolError],
  })),
  ...[text, binary].flatMap((first) =>
    [text, binary].map((second) => ({
      section: '5.4',
      name: `opcode ${second} before the message of opcode ${first} is whole`,
      sends: [frame({ opcode: first, payload: 'x', fin: false }), frame({ opcode: second, payload: 'x' })],
      hears: [protocolError],
    })),
  ),
  {
    section: '5.4',
    name: 'twenty thousand empty pieces of one message',
    sends: [
      Buffer.concat([
        frame({ opcode: text, payload: '{', fin: false }),
        ...Array.from({ length: 20_000 }, () => frame({ opcode: continuation, fin: false })),
      ]),
    ],
    hears: [{ close: [1008, 1009] }],
  },
];

/** Longer than any message may be: a chunk with its header. */
const tooLong = 512 * 1024 + 17;

const lengths: readonly FramingCase[] = [
  ...([16, 64] as const).map((lengthBits) => ({
    section: '5.2',
    name: `a short length in ${lengthBits} bits is read, though a sender must use the fewest`,
    sends: [frame({ opcode: text, payload: message(1), lengthBits })],
    hears: [{ reply: 1 }],
  })),
  ...[125, 126, 127, 65_535, 65_536].map((length) => ({
    section: '5.2',
    name: `a message of ${length} bytes`,
    sends: [frame({ opcode: text, payload: message(1, 'x'.repeat(length - message(1).length)) })],
    hears: [{ reply: 1 }],
  })),
  ...[1n << 63n, (1n << 64n) - 1n, 1n << 53n, 1n << 40n, BigInt(tooLong)].map((claimedLength) => ({
    section: '5.2',
    name: `a claimed length of ${claimedLength}`,
    sends: [frame({ opcode: binary, payload: 'x', claimedLength, lengthBits: 64 })],
    hears: [{ close: [1002, 1009] }],
  })),
  {
    section: '7.4.1',
    name: 'pieces that are too long together',
    sends: [
      frame({ opcode: binary, payload: Buffer.alloc(tooLong / 2), fin: false }),
      frame({ opcode: continuation, payload: Buffer.alloc(tooLong / 2 + 1) }),
    ],
    hears: [{ close: [1009] }],
  },
];

export const frameCases: readonly FramingCase[] = [
  ...reservedBits,
  ...reservedOpcodes,
  ...masking,
  ...controlFrames,
  ...pings,
  ...fragmentation,
  ...lengths,
];
