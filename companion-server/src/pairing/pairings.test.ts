import { beforeEach, describe, expect, test } from 'vitest';
import type { EditError } from '../errors.ts';
import { createLog } from '../log.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { codeLifetimeMs, createCode, isSameCode } from './code.ts';
import { createPairings, localClient, type Pairings } from './pairings.ts';
import { pairingTables, readSecret } from './tables.ts';

const localToken = 'a'.repeat(64);
let database: Database;
let pairings: Pairings;
let nowMs: number;

beforeEach(() => {
  nowMs = Date.UTC(2030, 0, 1);
  database = openDatabase(':memory:', [pairingTables]);
  const log = createLog({ level: 'silent', write: () => undefined });
  pairings = createPairings(database, { localToken, log, now: () => new Date(nowMs) });
  return () => database.close();
});

const pair = (name = 'panel', peer = '127.0.0.1') =>
  pairings.exchange(pairings.openCode().code, name, peer);

function refusalOf(code: string, peer = '127.0.0.1'): EditError {
  try {
    pairings.exchange(code, 'panel', peer);
  } catch (error) {
    return error as EditError;
  }
  throw new Error('The code was accepted.');
}

describe('the code', () => {
  test('has eight characters that are not mistaken for another, all of them used', () => {
    const codes = Array.from({ length: 500 }, () => createCode(new Date(nowMs)).code);
    for (const code of codes) expect(code).toMatch(/^[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}$/);
    expect(new Set(codes.join('').replaceAll('-', '')).size).toBe(30);
    expect(new Set(codes).size).toBe(500);
  });

  test.each(['K7QF-3MXD', 'k7qf3mxd', ' K7QF 3MXD '])('typed as "%s" is the same', (typed) => {
    expect(isSameCode(typed, 'K7QF-3MXD')).toBe(true);
  });

  test.each(['', 'K7QF-3MX', 'K7QF-3MXDD', 'K7QF-3MXE'])('typed as "%s" is another', (typed) => {
    expect(isSameCode(typed, 'K7QF-3MXD')).toBe(false);
  });
});

describe('an exchange', () => {
  test('gives a token that is known from then on', () => {
    const { client, token } = pair('panel');
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(client).toEqual({
      clientId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      name: 'panel',
    });
    expect(pairings.authenticate(token)).toEqual(client);
    expect(pairings.isPaired(client.clientId)).toBe(true);
  });

  test('uses the code up', () => {
    const { code } = pairings.openCode();
    pairings.exchange(code, 'panel', '127.0.0.1');
    expect(pairings.currentCode()).toBeNull();
    expect(refusalOf(code)).toMatchObject({ code: 'pairing-refused' });
  });

  test('is refused when the code has expired', () => {
    const { code } = pairings.openCode();
    nowMs += codeLifetimeMs;
    expect(pairings.currentCode()).toBeNull();
    expect(refusalOf(code).message).toMatch(/has expired/);
  });

  test('is refused with a code that a newer one has replaced', () => {
    const { code } = pairings.openCode();
    pairings.openCode();
    expect(refusalOf(code).message).toMatch(/not the one/);
  });

  test('keeps no token: neither it nor anything it could be read from is in the database', () => {
    const { token } = pair();
    const rows = JSON.stringify(database.all('SELECT *, hex(token_hash) AS hash FROM pairings'));
    expect(rows.toLowerCase()).not.toContain(token);
  });

  test('takes no control characters into a name', () => {
    expect(pair('pan\u001b[31mel\n\u202e').client.name).toBe('pan [31mel  ');
  });
});

describe('wrong codes', () => {
  test('cost a wait that doubles, and the right code has to wait as well', () => {
    for (let i = 0; i < 3; i++) expect(refusalOf('wrong').code).toBe('pairing-refused');
    const { code } = pairings.openCode();
    expect(refusalOf(code)).toMatchObject({
      code: 'pairing-limited',
      hint: 'Try again in 1 second.',
    });
    nowMs += 1_000;
    expect(refusalOf('wrong').code).toBe('pairing-refused');
    nowMs += 1_000;
    expect(refusalOf(code).hint).toBe('Try again in 1 second.');
    nowMs += 1_000;
    expect(pairings.exchange(code, 'panel', '127.0.0.1').client.name).toBe('panel');
  });

  test('let no more than some three hundred tries through in a day', () => {
    let tried = 0;
    const endMs = nowMs + 24 * 60 * 60 * 1000;
    for (; nowMs < endMs; nowMs += 1_000) {
      if (refusalOf('wrong', `10.0.0.${nowMs % 251}`).code === 'pairing-refused') tried++;
    }
    expect(tried).toBeLessThan(320);
  });

  test('of one address do not hinder another, until they are many', () => {
    for (let i = 0; i < 3; i++) refusalOf('wrong', '10.0.0.1');
    expect(refusalOf('wrong', '10.0.0.1').code).toBe('pairing-limited');
    expect(pair('panel', '10.0.0.2').client.name).toBe('panel');
    for (let i = 0; i < 7; i++) refusalOf('wrong', `10.0.1.${i}`);
    expect(refusalOf('wrong', '10.0.0.3').code).toBe('pairing-limited');
  });

  test('are forgotten after a quiet quarter of an hour', () => {
    for (let i = 0; i < 12; i++) refusalOf('wrong', `10.0.0.${i}`);
    nowMs += 16 * 60 * 1000;
    expect(pair('panel', '10.0.0.1').client.name).toBe('panel');
  });
});

describe('a token', () => {
  test.each(['', 'f'.repeat(64), localToken.toUpperCase(), `${localToken} `])(
    'that is "%s" is nobody\'s',
    (token) => expect(pairings.authenticate(token)).toBeNull(),
  );

  test('of the command line is the local client, which is in no list and cannot be revoked', () => {
    expect(pairings.authenticate(localToken)).toEqual(localClient);
    expect(localClient.clientId).toMatch(/^[0-9a-f]{32}$/);
    expect(pairings.list()).toEqual([]);
    expect(pairings.revoke(localClient.clientId)).toBe(false);
    expect(pairings.isPaired(localClient.clientId)).toBe(true);
  });

  test('is void once it is revoked, and those who asked are told', () => {
    const { client, token } = pair();
    const other = pair('other');
    const revoked: string[] = [];
    pairings.onRevoked((clientId) => revoked.push(clientId));
    expect(pairings.revoke(client.clientId)).toBe(true);
    expect(pairings.revoke(client.clientId)).toBe(false);
    expect(revoked).toEqual([client.clientId]);
    expect(pairings.authenticate(token)).toBeNull();
    expect(pairings.isPaired(client.clientId)).toBe(false);
    expect(pairings.list().map(({ name }) => name)).toEqual(['other']);
    expect(pairings.owners().map(({ name }) => name)).toContain('panel');
    expect(pairings.authenticate(other.token)).toEqual(other.client);
  });

  test('shows in the list when it was last seen, and as which version', () => {
    const { client } = pair();
    expect(pairings.list()).toMatchObject([
      { clientId: client.clientId, seenAt: null, version: null },
    ]);
    pairings.noteSeen(client.clientId, '0.1.0');
    const seenAt = new Date(nowMs).toISOString();
    expect(pairings.list()).toMatchObject([{ name: 'panel', seenAt, version: '0.1.0' }]);
  });
});

test('the secret of a data folder is made once', () => {
  const secret = readSecret(database, 'links');
  expect(secret).toHaveLength(32);
  expect(readSecret(database, 'links')).toEqual(secret);
  expect(readSecret(database, 'other')).not.toEqual(secret);
});
