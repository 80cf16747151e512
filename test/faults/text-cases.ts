// What RFC 6455 says of text, which must be UTF-8, and of the end of a connection. The list is ours; the sections are the
// RFC's.

import {
  byteByByte,
  bytesOf,
  fragments,
  message,
  protocolError,
  type FramingCase,
  type Heard,
} from './framing-case.ts';
import { closePayload, frame, opcodes } from './raw-socket.ts';

const { text, close, ping } = opcodes;
const notUtf8: Heard = { close: [1007] };

const validTexts: Readonly<Record<string, string>> = {
  'one byte': 'a\u007f',
  'two bytes': '\u0080\u07ff',
  'three bytes': '\u0800\uffff',
  'around the surrogates': '\ud7ff\ue000',
  'four bytes': '\u{10000}\u{10ffff}',
  'no characters': '\ufffe\uffff\u{1fffe}',
  'a byte order mark': '\ufeff',
  'an emoji of several': '\u{1f469}\u200d\u{1f4bb}',
};

const invalidTexts: Readonly<Record<string, readonly number[]>> = {
  'a continuation byte alone': [0x80],
  'the last continuation byte alone': [0xbf],
  'a first byte of two, alone': [0xc3, 0x22],
  'a first byte of three, alone': [0xe2, 0x22],
  'a first byte of four, alone': [0xf0, 0x22],
  'two of three bytes': [0xe2, 0x82, 0x22],
  'three of four bytes': [0xf0, 0x9f, 0x98, 0x22],
  'a slash in two bytes': [0xc0, 0xaf],
  'a slash in three bytes': [0xe0, 0x80, 0xaf],
  'a slash in four bytes': [0xf0, 0x80, 0x80, 0xaf],
  'the longest of two bytes in three': [0xe0, 0x9f, 0xbf],
  'the longest of three bytes in four': [0xf0, 0x8f, 0xbf, 0xbf],
  'a zero in two bytes': [0xc0, 0x80],
  'the first surrogate': [0xed, 0xa0, 0x80],
  'the last surrogate': [0xed, 0xbf, 0xbf],
  'a pair of surrogates': [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
  'beyond the last character': [0xf4, 0x90, 0x80, 0x80],
  'a first byte of four that is too high': [0xf5, 0x80, 0x80, 0x80],
  'a form of five bytes': [0xf8, 0x88, 0x80, 0x80, 0x80],
  'a form of six bytes': [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
  'the byte FE': [0xfe],
  'the byte FF': [0xff],
};

/** Where the filling of `message` begins. */
const fillingStart = message(1).length - 2;

/** Pieces that break in the middle of a character: after its first byte. */
function breakCharacter(bytes: Buffer): Buffer[] {
  return [bytes.subarray(0, fillingStart + 1), bytes.subarray(fillingStart + 1)];
}

const utf8: readonly FramingCase[] = [
  ...Object.entries(validTexts).flatMap(([name, filling]) => [
    {
      section: '5.6',
      name: `text with ${name}`,
      sends: [frame({ opcode: text, payload: message(1, filling) })],
      hears: [{ reply: 1 }],
    },
    {
      section: '5.6',
      name: `text with ${name}, one byte per piece`,
      sends: [Buffer.concat(fragments(byteByByte(message(1, filling))))],
      hears: [{ reply: 1 }],
    },
  ]),
  ...Object.entries(invalidTexts).flatMap(([name, bytes]) => {
    const payload = message(1, bytesOf(...bytes));
    return [
      {
        section: '8.1',
        name: `text with ${name}`,
        sends: [frame({ opcode: text, payload })],
        hears: [notUtf8],
      },
      {
        section: '8.1',
        name: `text with ${name}, broken in two pieces`,
        sends: fragments(breakCharacter(payload)),
        hears: [notUtf8],
      },
    ];
  }),
  {
    section: '8.1',
    name: 'text that ends in the middle of a character',
    sends: [frame({ opcode: text, payload: bytesOf(0x22, 0xe2, 0x82) })],
    hears: [notUtf8],
  },
];

const validCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const invalidCodes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65_535];

const closing: readonly FramingCase[] = [
  {
    section: '5.5.1',
    name: 'a close without a code',
    sends: [frame({ opcode: close })],
    hears: [{ close: [null, 1000] }],
  },
  {
    section: '5.5.1',
    name: 'a close with half a code',
    sends: [frame({ opcode: close, payload: bytesOf(0x03) })],
    hears: [protocolError],
  },
  ...validCodes.map((code) => ({
    section: '7.4',
    name: `close code ${code}`,
    sends: [frame({ opcode: close, payload: closePayload(code) })],
    hears: [{ close: [code] }],
  })),
  ...invalidCodes.map((code) => ({
    section: '7.4',
    name: `close code ${code}, which nobody may send`,
    sends: [frame({ opcode: close, payload: closePayload(code) })],
    hears: [protocolError],
  })),
  ...['done', 'schön \u{1f389}', 'x'.repeat(123)].map((reason) => ({
    section: '7.1.6',
    name: `a close with a reason of ${Buffer.byteLength(reason)} bytes`,
    sends: [frame({ opcode: close, payload: closePayload(1000, reason) })],
    hears: [{ close: [1000] }],
  })),
  ...Object.entries(invalidTexts).map(([name, bytes]) => ({
    section: '8.1',
    name: `a close with a reason of ${name}`,
    sends: [frame({ opcode: close, payload: closePayload(1000, bytesOf(...bytes)) })],
    hears: [notUtf8],
  })),
  {
    section: '5.5.1',
    name: 'messages after a close are not answered',
    sends: [
      frame({ opcode: close, payload: closePayload(1000) }),
      frame({ opcode: text, payload: message(1) }),
      frame({ opcode: ping }),
    ],
    hears: [{ close: [1000] }],
  },
  {
    section: '5.5.1',
    name: 'a close byte by byte',
    sends: byteByByte(frame({ opcode: close, payload: closePayload(1001, 'gone') })),
    hears: [{ close: [1001] }],
  },
];

export const textCases: readonly FramingCase[] = [...utf8, ...closing];
