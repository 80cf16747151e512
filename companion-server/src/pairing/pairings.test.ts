import { beforeEach, describe, expect, test } from 'vitest';
import type { EditError } from '../errors.ts';
import { createLog } from '../app/log.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { turnMs } from './attempts.ts';
import { codeLifetimeMs, createCode, isSameCode } from './code.ts';
import { createPairings, localClient, type Pairings } from './pairings.ts';
import { pairingTables, readSecret } from './tables.ts';

const localToken = 'a'.repeat(64);
let database: Database;
let pairings: Pairings;
let nowMs: number;
/** As the attempts count it: it does not jump with the clock. */
let passedMs: number;

beforeEach(() => {
  nowMs = Date.UTC(2030, 0, 1);
  database = openDatabase(':memory:', [pairingTables]);
  const log = createLog({ level: 'silent', write: () => undefined });
  passedMs = 0;
  pairings = createPairings(database, {
    localToken,
    log,
    now: () => new Date(nowMs),
    attempts: {
      elapsedMs: () => passedMs,
      pause(ms) {
        passedMs += ms;
        return Promise.resolve();
      },
    },
  });
  return () => database.close();
});

const pair = (name = 'panel') => pairings.exchange(pairings.openCode().code, name, '127.0.0.1');

function refusalOf(code: string): Promise<EditError> {
  return pairings.exchange(code, 'panel', '127.0.0.1').then(
    () => Promise.reject(new Error('The code was accepted.')),
    (error: unknown) => error as EditError,
  );
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
  test('gives a token that is known from then on', async () => {
    const { client, token } = await pair('panel');
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(client).toEqual({
      clientId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      name: 'panel',
    });
    expect(pairings.authenticate(token)).toEqual(client);
    expect(pairings.isPaired(client.clientId)).toBe(true);
  });

  test('uses the code up', async () => {
    const { code } = pairings.openCode();
    await pairings.exchange(code, 'panel', '127.0.0.1');
    expect(pairings.currentCode()).toBeNull();
    expect(await refusalOf(code)).toMatchObject({ code: 'pairing-refused' });
  });

  test('is refused when the code has expired', async () => {
    const { code } = pairings.openCode();
    nowMs += codeLifetimeMs;
    expect(pairings.currentCode()).toBeNull();
    expect((await refusalOf(code)).message).toMatch(/has expired/);
  });

  test('is refused with a code that a newer one has replaced', async () => {
    const { code } = pairings.openCode();
    pairings.openCode();
    expect((await refusalOf(code)).message).toMatch(/not the one/);
  });

  test('keeps no token: neither it nor anything it could be read from is in the database', async () => {
    const { token } = await pair();
    const rows = JSON.stringify(database.all('SELECT *, hex(token_hash) AS hash FROM pairings'));
    expect(rows.toLowerCase()).not.toContain(token);
  });

  test('takes no control characters into a name', async () => {
    expect((await pair('pan\u001b[31mel\n\u202e')).client.name).toBe('pan [31mel  ');
  });
});

describe('wrong codes', () => {
  test('make attempts take turns, in which the right code has its own after seconds at most', async () => {
    for (let i = 0; i < 10; i++) await refusalOf('wrong');
    const guesses = Array.from({ length: 64 }, () => refusalOf('wrong'));
    const { code } = pairings.openCode();
    const paired = pairings.exchange(code, 'panel', '127.0.0.1');
    const later = Array.from({ length: 64 }, () => refusalOf('wrong'));
    expect((await paired).client.name).toBe('panel');
    expect(passedMs).toBeGreaterThanOrEqual(65 * turnMs);
    expect(passedMs).toBeLessThan(4_000);
    const refused = await Promise.all([...guesses, ...later]);
    expect(new Set(refused.map((error) => error.code))).toEqual(new Set(['pairing-refused']));
  });

  test('are at most twenty a second once ten were tried', async () => {
    for (let i = 0; i < 10; i++) await refusalOf('wrong');
    expect(passedMs).toBe(0);
    for (let i = 0; i < 100; i++) await refusalOf('wrong');
    expect(passedMs).toBe(100 * turnMs);
  });

  test('are refused unseen when very many wait', async () => {
    for (let i = 0; i < 10; i++) await refusalOf('wrong');
    const refused = await Promise.all(Array.from({ length: 300 }, () => refusalOf('wrong')));
    expect(refused.filter(({ code }) => code === 'pairing-limited')).toHaveLength(100);
  });

  test('are forgotten after a quiet quarter of an hour, whatever the clock says', async () => {
    for (let i = 0; i < 12; i++) await refusalOf('wrong');
    nowMs -= 24 * 60 * 60 * 1000;
    passedMs += 16 * 60 * 1000;
    const before = passedMs;
    expect((await pair('panel')).client.name).toBe('panel');
    expect(passedMs).toBe(before);
  });
});

describe('a token', () => {
  test.each(['', 'f'.repeat(64), localToken.toUpperCase(), `${localToken} `])('that is "%s" is nobody\'s', (token) =>
    expect(pairings.authenticate(token)).toBeNull(),
  );

  test('of the command line is the local client, which is in no list and cannot be revoked', () => {
    expect(pairings.authenticate(localToken)).toEqual(localClient);
    expect(localClient.clientId).toMatch(/^[0-9a-f]{32}$/);
    expect(pairings.list()).toEqual([]);
    expect(pairings.revoke(localClient.clientId)).toBe(false);
    expect(pairings.isPaired(localClient.clientId)).toBe(true);
  });

  test('is void once it is revoked, and those who asked are told', async () => {
    const { client, token } = await pair();
    const other = await pair('other');
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

  test('shows in the list when it was last seen, and as which version', async () => {
    const { client } = await pair();
    expect(pairings.list()).toMatchObject([{ clientId: client.clientId, seenAt: null, version: null }]);
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
