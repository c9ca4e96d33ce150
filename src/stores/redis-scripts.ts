import { createHash } from 'node:crypto'

/** A Lua script and the name under which Redis caches it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

/*
 * Redis runs a script as one act: nothing comes in between, and its writes are kept or lost together. But it does not
 * undo what was written before an error. So each script reads and judges everything first, and writes afterwards with
 * commands that take any key that they find.
 * Clock: TIME of the server (ASVS 6.5.8), in milliseconds. Lua numbers are doubles, exact up to 2^53.
 */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A bucket is two moments: when it is full again, and until when short codes are void.
local function look(key)
  local value = redis.call('GET', key)
  if not value then return 0, 0 end
  local full, long = string.match(value, '^(%d+) (%d+)$')
  if not full then error('a bucket holds something else') end
  return tonumber(full), tonumber(long)
end

local function keep(key, full, long)
  if full > now then
    redis.call('SET', key, string.format('%.0f %.0f', full, long), 'PX', string.format('%.0f', full - now))
  else
    redis.call('DEL', key)
  end
end

-- GCRA: when it would be full after taking a permit, and how long that permit is still away.
local function take(full, capacity, refill)
  local after = math.max(full, now) + refill
  return after, after - (now + capacity * refill)
end

local function give_back(key, full, long, permits, capacity, refill)
  full = math.max(now, full - permits * refill)
  keep(key, full, long > now and full - math.floor(capacity / 2) * refill or 0)
end

-- Short codes are void from the moment without a permit until half of the capacity is back.
local function void_until(full, long, capacity, refill)
  if long > now then return long end
  local _, wait = take(full, capacity, refill)
  if wait > 0 then return full - math.floor(capacity / 2) * refill end
  return 0
end

local function seconds(milliseconds)
  return math.ceil(milliseconds / 1000)
end
`

const OPEN = `
local lifetime, attempts = ARGV[6], tonumber(ARGV[7])
local sends, sends_refill = tonumber(ARGV[8]), tonumber(ARGV[9])
local resends, resend_refill = tonumber(ARGV[10]), tonumber(ARGV[11])
local failures, failures_refill = tonumber(ARGV[12]), tonumber(ARGV[13])

local known = {}
if ARGV[1] == '1' then known = redis.call('HMGET', KEYS[1], 'kind', 'left') end
local repeated = known[1] and tonumber(known[2]) > 0
local challenge, resend = KEYS[3], KEYS[4]
if repeated then challenge, resend = KEYS[1], KEYS[2] end

local resend_full, resend_wait = take(look(resend), resends, resend_refill)
if resend_wait > 0 then return {1, seconds(resend_wait)} end
local sends_full, sends_wait = take(look(KEYS[5]), sends, sends_refill)
if sends_wait > 0 then return {2, seconds(sends_wait)} end
local failures_full, long = look(KEYS[6])
local void = void_until(failures_full, long, failures, failures_refill)

local kind, digest = 'short', repeated and 2 or 4
if void > 0 or (repeated and known[1] == 'long') then kind, digest = 'long', digest + 1 end

if repeated then
  redis.call('HSET', challenge, 'kind', kind, 'digest', ARGV[digest])
  attempts = tonumber(known[2])
  lifetime = math.max(1, redis.call('PTTL', challenge))
else
  redis.call('HSET', challenge, 'kind', kind, 'digest', ARGV[digest], 'left', attempts, 'taken', 0)
  redis.call('PEXPIRE', challenge, lifetime)
end
keep(resend, resend_full, 0)
keep(KEYS[5], sends_full, 0)
if void ~= long and void > 0 then keep(KEYS[6], failures_full, void) end
return {0, repeated and 1 or 0, kind == 'long' and 1 or 0, attempts, seconds(lifetime)}
`

// The attempt is written before the digests are compared, by a command that a server out of memory refuses. Otherwise
// such a server would tell right codes (which only delete) from wrong ones, and count none of them.
const REDEEM = `
local kind, digest = ARGV[1], ARGV[2]
local capacity, refill = tonumber(ARGV[3]), tonumber(ARGV[4])

local challenge = redis.call('HMGET', KEYS[1], 'kind', 'digest', 'left', 'taken')
if not challenge[1] then return {3} end
local left, taken = tonumber(challenge[3]), tonumber(challenge[4])
if left < 1 then return {2} end
if kind ~= challenge[1] then return {4} end

local full, long = look(KEYS[2])
local short = kind == 'short'
local before = taken
if short then
  local void = void_until(full, long, capacity, refill)
  if void > 0 then
    if void ~= long then keep(KEYS[2], full, void) end
    return {4}
  end
  full = take(full, capacity, refill)
  taken = taken + 1
end

redis.call('HSET', KEYS[1], 'left', left - 1, 'taken', taken)
if digest == challenge[2] then
  redis.call('DEL', KEYS[1])
  if before > 0 and full > 0 then give_back(KEYS[2], full, long, taken, capacity, refill) end
  return {0}
end
if not short then return {1, left - 1, 0} end
local void = void_until(full, 0, capacity, refill)
keep(KEYS[2], full, void)
return {1, left - 1, void > 0 and 1 or 0}
`

const SPEND = `
local permits, capacity, refill = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local full, long = look(KEYS[1])
if permits == '-1' then
  if full > now then give_back(KEYS[1], full, long, 1, capacity, refill) end
  return {0}
end
local after, wait = take(full, capacity, refill)
if wait > 0 then return {1, seconds(wait)} end
keep(KEYS[1], after, long)
return {0}
`

function script(act: string): Script {
  const text = COMMON + act
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

export const scripts = { open: script(OPEN), redeem: script(REDEEM), spend: script(SPEND) } as const
