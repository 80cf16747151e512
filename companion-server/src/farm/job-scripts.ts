// The steps on rows of jobs in Redis that must happen fully or not at all, as scripts of Redis (https://redis.io/docs,
// "Scripting with Lua"). The effect of a change is computed by job.ts; a script writes it if the row is still as it was
// read.
//
// Keys, all behind one prefix: `job:ID` the row (hash), `queue` the queued jobs in their order (list), `states` the state
// of each job (hash), `number` the last number of a job, `made:OWNER` and `unfinished` jobs by number (sorted sets),
// `unfinished:OWNER` (set), `keys:OWNER` jobs by the client's key (hash), `done:MODEL` jobs with a report (sorted set),
// `turns` which job a turn does (hash).

/** Puts a job behind all that are at least as urgent. */
const enqueue = `
local function enqueue(prefix, id, priority)
  for _, other in ipairs(redis.call('LRANGE', prefix .. 'queue', 0, -1)) do
    if tonumber(redis.call('HGET', prefix .. 'job:' .. other, 'priority')) < tonumber(priority) then
      redis.call('LINSERT', prefix .. 'queue', 'BEFORE', other, id)
      return
    end
  end
  redis.call('RPUSH', prefix .. 'queue', id)
end
`;

/**
 * Arguments: prefix, id, owner, key, priority, creation, request, job, most jobs of the owner, most unfinished ones.
 * Returns the id of the job with the key and 0 or 1 for a new one, or false and both numbers that there are.
 */
export const addScript = `${enqueue}
local prefix, id, owner, key = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local known = redis.call('HGET', prefix .. 'keys:' .. owner, key)
if known then return {known, 0} end
local all = redis.call('ZCARD', prefix .. 'made:' .. owner)
local unfinished = redis.call('SCARD', prefix .. 'unfinished:' .. owner)
if all >= tonumber(ARGV[9]) or unfinished >= tonumber(ARGV[10]) then return {'', all, unfinished} end
local number = redis.call('INCR', prefix .. 'number')
redis.call('HSET', prefix .. 'job:' .. id, 'owner', owner, 'priority', ARGV[5], 'createdAt', ARGV[6], 'request', ARGV[7],
  'job', ARGV[8], 'progress', 'null', 'number', number, 'revision', 1, 'turn', '')
redis.call('HSET', prefix .. 'keys:' .. owner, key, id)
redis.call('HSET', prefix .. 'states', id, 'queued')
redis.call('ZADD', prefix .. 'made:' .. owner, number, id)
redis.call('ZADD', prefix .. 'unfinished', number, id)
redis.call('SADD', prefix .. 'unfinished:' .. owner, id)
enqueue(prefix, id, ARGV[5])
return {id, 1}
`;

/**
 * Arguments: prefix, id, the revision that was read, job, state, place in the queue (`first`, `by-priority`, `same`,
 * `none`), turn, whether the job is over (0 or 1), the model of a report or an empty text. Returns 1, or 0 where the row
 * is another one by now.
 */
export const changeScript = `${enqueue}
local prefix, id = ARGV[1], ARGV[2]
local row = prefix .. 'job:' .. id
if redis.call('HGET', row, 'revision') ~= ARGV[3] then return 0 end
redis.call('HINCRBY', row, 'revision', 1)
redis.call('HSET', row, 'job', ARGV[4], 'turn', ARGV[7])
redis.call('HSET', prefix .. 'states', id, ARGV[5])
if ARGV[7] ~= '' then redis.call('HSET', prefix .. 'turns', ARGV[7], id) end
if ARGV[6] ~= 'same' then redis.call('LREM', prefix .. 'queue', 0, id) end
if ARGV[6] == 'first' then redis.call('LPUSH', prefix .. 'queue', id) end
if ARGV[6] == 'by-priority' then enqueue(prefix, id, redis.call('HGET', row, 'priority')) end
if ARGV[8] == '1' then
  redis.call('ZREM', prefix .. 'unfinished', id)
  redis.call('SREM', prefix .. 'unfinished:' .. redis.call('HGET', row, 'owner'), id)
end
if ARGV[9] ~= '' then redis.call('ZADD', prefix .. 'done:' .. ARGV[9], redis.call('HGET', row, 'number'), id) end
return 1
`;

/** Arguments: prefix, id, turn, progress. Returns 1, or 0 where the job is not done in this turn any more. */
export const progressScript = `
local row = ARGV[1] .. 'job:' .. ARGV[2]
if redis.call('HGET', row, 'turn') ~= ARGV[3] then return 0 end
redis.call('HINCRBY', row, 'revision', 1)
redis.call('HSET', row, 'progress', ARGV[4])
return 1
`;

/**
 * Arguments: prefix, id, the job before which it comes or an empty text for behind all. Returns 1, or 0 where one of both
 * is not queued.
 */
export const moveScript = `
local prefix, id, before = ARGV[1], ARGV[2], ARGV[3]
local queue = prefix .. 'queue'
if not redis.call('LPOS', queue, id) then return 0 end
if before ~= '' and not redis.call('LPOS', queue, before) then return 0 end
redis.call('LREM', queue, 0, id)
local neighbour = before
if before == '' then
  neighbour = redis.call('LINDEX', queue, -1)
  redis.call('RPUSH', queue, id)
else
  redis.call('LINSERT', queue, 'BEFORE', before, id)
end
redis.call('HINCRBY', prefix .. 'job:' .. id, 'revision', 1)
if neighbour then
  redis.call('HSET', prefix .. 'job:' .. id, 'priority', redis.call('HGET', prefix .. 'job:' .. neighbour, 'priority'))
end
return 1
`;

/** Arguments: prefix, id, owner, key, model. */
export const removeScript = `
local prefix, id, owner = ARGV[1], ARGV[2], ARGV[3]
redis.call('DEL', prefix .. 'job:' .. id)
redis.call('HDEL', prefix .. 'keys:' .. owner, ARGV[4])
redis.call('HDEL', prefix .. 'states', id)
redis.call('ZREM', prefix .. 'made:' .. owner, id)
redis.call('ZREM', prefix .. 'unfinished', id)
redis.call('SREM', prefix .. 'unfinished:' .. owner, id)
redis.call('ZREM', prefix .. 'done:' .. ARGV[5], id)
redis.call('LREM', prefix .. 'queue', 0, id)
return 1
`;
