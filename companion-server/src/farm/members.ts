// Who does jobs of a farm: each process says so again and again, and is taken for gone when it says nothing more.

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';

export interface FarmMember {
  /** The name of its machine, with some digits that tell processes of one machine apart. */
  readonly name: string;
  /** As the program says it. */
  readonly version: string;
  /** UTC, ISO 8601. */
  readonly startedAt: string;
  /** When it last said that it lives: UTC, ISO 8601. */
  readonly seenAt: string;
  /** The job that it does; null for none. */
  readonly jobId: string | null;
}

export interface Membership {
  readonly name: string;
  /** Says at once what this process does from now on. Never rejects. */
  note(jobId: string | null): void;
  leave(): Promise<void>;
}

export interface MembersOptions {
  readonly redis: Redis;
  /** What the keys begin with, without `:` at the end. */
  readonly prefix: string;
  readonly version: string;
  /** A process that has said nothing for so long is gone. */
  readonly goneMs: number;
  readonly onFailure: (error: unknown) => void;
  readonly now?: () => Date;
}

/** The names of all members, those included that are gone and that nobody has asked for since. */
const namesKey = (prefix: string): string => `${prefix}:members`;
/** What a member says. Redis forgets it by its own clock: those of the machines may differ. */
const memberKey = (prefix: string, name: string): string => `${prefix}:member:${name}`;

/** Says that this process does jobs, until it leaves. */
export async function joinMembers(options: MembersOptions): Promise<Membership> {
  const { redis, prefix, version, goneMs, onFailure, now = () => new Date() } = options;
  const name = `${hostname()}-${randomBytes(2).toString('hex')}`;
  const startedAt = now().toISOString();
  let jobId: string | null = null;
  let hasLeft = false;
  const say = async (): Promise<void> => {
    if (hasLeft) return;
    const member: FarmMember = { name, version, startedAt, seenAt: now().toISOString(), jobId };
    await redis.set(memberKey(prefix, name), JSON.stringify(member), 'PX', goneMs);
    await redis.sadd(namesKey(prefix), name);
  };
  await say();
  const beat = setInterval(() => void say().catch(onFailure), goneMs / 3);
  return {
    name,
    note(current) {
      jobId = current;
      say().catch(onFailure);
    },
    async leave() {
      hasLeft = true;
      clearInterval(beat);
      await redis.del(memberKey(prefix, name));
      await redis.srem(namesKey(prefix), name);
    },
  };
}

/** The processes that live, by name. */
export async function listMembers(redis: Redis, prefix: string): Promise<readonly FarmMember[]> {
  const names = (await redis.smembers(namesKey(prefix))).toSorted();
  if (names.length === 0) return [];
  const said = await redis.mget(names.map((name) => memberKey(prefix, name)));
  const gone = names.filter((_, index) => said[index] == null);
  if (gone.length > 0) await redis.srem(namesKey(prefix), ...gone);
  return said.flatMap((text) => (text === null ? [] : [JSON.parse(text) as FarmMember]));
}
