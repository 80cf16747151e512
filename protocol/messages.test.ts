import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseClientMessage } from './messages/client-messages.ts';
import { defaultSettings } from './edit-settings.ts';
import { FieldError } from './fields.ts';
import { requestIdOf } from './messages/message.ts';
import { parseServerMessage } from './messages/server-messages.ts';

const jobCreate = {
  type: 'job-create',
  requestId: 3,
  clipId: '0123456789abcdef0123456789abcdef',
  settings: { ...defaultSettings(), prompt: 'a silver wolf' },
  model: null,
  device: 'auto',
  key: 'a-key-of-a-job',
  priority: 0,
};

describe('parseClientMessage', () => {
  test('reads a message with its settings', () => {
    expect(parseClientMessage(JSON.stringify(jobCreate))).toEqual(jobCreate);
  });

  test.each([
    ['{', 'message must be JSON.'],
    ['null', /^message.type must be one of identify, pair, hello, /],
    ['{"type":"toString"}', /^message.type must be one of identify, pair, hello, /],
    ['{"type":"stream-cancel"}', 'message.streamId must be a whole number between 1 and 4294967295, got nothing.'],
    ['{"type":"stream-cancel","streamId":0}', 'message.streamId must be between 1 and 4294967295, got 0.'],
    [
      '{"type":"job-cancel","requestId":1,"jobId":"../../etc"}',
      "message.jobId must be 32 lower-case hexadecimal digits, got '../../etc'.",
    ],
    [
      '{"type":"upload-begin","requestId":1,"sizeBytes":5,"extension":"mp4/../x","sha256":null,"uploadId":null}',
      /^message.extension must be one of mov, mp4, /,
    ],
    [
      '{"type":"job-cancel","requestId":1,"jobId":"a","force":true}',
      /^message.force is not known; known are type, requestId, jobId.$/,
    ],
  ])('refuses %s and says why', (text, message) => {
    expect(() => parseClientMessage(text)).toThrow(FieldError);
    expect(() => parseClientMessage(text)).toThrow(message);
  });

  test('names the path of a bad setting', () => {
    const text = JSON.stringify({
      ...jobCreate,
      settings: { ...jobCreate.settings, strength: 1.4 },
    });
    expect(() => parseClientMessage(text)).toThrow('message.settings.strength must be between 0 and 1, got 1.4.');
  });
});

test('both parsers refuse anything else than a message with a FieldError', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(() => parseClientMessage(text)).toThrow(FieldError);
      expect(() => parseServerMessage(text)).toThrow(FieldError);
    }),
  );
});

test.each([
  ['{"requestId":7,"type":"nonsense"}', 7],
  ['{"requestId":-1}', null],
  ['null', null],
  ['{', null],
])('the request id of %s is %s', (text, requestId) => {
  expect(requestIdOf(text)).toBe(requestId);
});
