import { createHash } from 'node:crypto'

/** A Lua script, and the SHA-1 under which Redis caches it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

/*
 * Redis runs a script atomically, but does not undo its writes if a later command fails. So each script reads and decides
 * first, and then writes with commands that accept a key of any type.
 *
 * A bucket is a key whose TTL is the time until it is full, the one number of GCRA. So the clock is that of the server
 * (ASVS 6.5.8), and a full bucket has no key. The value of `failures` is `long` once the bucket was empty; short codes are
 * then disabled until half of its capacity is back. All times are whole milliseconds.
 *
 * A challenge is a hash. `code`: kind and digest of the valid code, as `short …` or `long …`; `left`: attempts left;
 * `taken`: permits that its wrong codes took from `failures`.
 */
const COMMON = `
local function ms_until_full(bucket)
  local ttl = redis.call('PTTL', bucket)
  if ttl == -1 then error('a bucket without TTL') end
  return math.max(ttl, 0)
end

local function ms_until_permit(full, capacity, refill)
  return full + refill - capacity * refill
end

local function seconds(milliseconds)
  return math.ceil(milliseconds / 1000)
end
`

const OPEN = `
local lifetime, attempts = tonumber(ARGV[6]), tonumber(ARGV[7])
local sends, sends_refill = tonumber(ARGV[8]), tonumber(ARGV[9])
local resends, resend_refill = tonumber(ARGV[10]), tonumber(ARGV[11])
local capacity, refill = tonumber(ARGV[12]), tonumber(ARGV[13])

local existing = {}
if ARGV[1] == '1' then existing = redis.call('HMGET', KEYS[1], 'code', 'left') end
local repeated = existing[1] and tonumber(existing[2]) > 0
local challenge, resend = KEYS[3], KEYS[4]
if repeated then challenge, resend = KEYS[1], KEYS[2] end

local resend_full, sends_full, failures_full = ms_until_full(resend), ms_until_full(KEYS[5]), ms_until_full(KEYS[6])
local throttled, longest = 1, math.max(0, seconds(ms_until_permit(resend_full, resends, resend_refill)))
local sends_wait = seconds(ms_until_permit(sends_full, sends, sends_refill))
if sends_wait > longest then throttled, longest = 2, sends_wait end
local extras = {}
for i = 7, #KEYS do
  local first = 14 + 3 * (i - 7)
  if not (repeated and ARGV[first + 2] == '1') then
    local extra, full = tonumber(ARGV[first]), ms_until_full(KEYS[i])
    local extra_refill = tonumber(ARGV[first + 1])
    local wait = seconds(ms_until_permit(full, extra, extra_refill))
    if wait > longest then throttled, longest = i - 4, wait end
    extras[KEYS[i]] = full + extra_refill
  end
end
if longest > 0 then return {throttled, longest} end

local was_empty = failures_full > 0 and redis.call('GET', KEYS[6]) == 'long'
local empty = ms_until_permit(failures_full, capacity, refill) > 0
local short_codes_disabled = empty or (was_empty and failures_full > math.floor(capacity / 2) * refill)
local long = short_codes_disabled or (repeated and string.sub(existing[1], 1, 1) == 'l')
local code = ARGV[(repeated and 2 or 4) + (long and 1 or 0)]
if repeated then
  redis.call('HSET', challenge, 'code', code)
  attempts, lifetime = tonumber(existing[2]), math.max(1, redis.call('PTTL', challenge))
else
  redis.call('HSET', challenge, 'code', code, 'left', attempts, 'taken', 0)
  redis.call('PEXPIRE', challenge, lifetime)
end
redis.call('SET', resend, '', 'PX', resend_full + resend_refill)
redis.call('SET', KEYS[5], '', 'PX', sends_full + sends_refill)
for key, full in pairs(extras) do redis.call('SET', key, '', 'PX', full) end
if empty and not was_empty then redis.call('SET', KEYS[6], 'long', 'PX', failures_full) end
return {0, repeated and 1 or 0, long and 1 or 0, attempts, seconds(lifetime)}
`

// The attempt is written before the digests are compared, with a command that a server out of memory refuses. Otherwise
// such a server would accept right codes, which only delete, and fail on wrong ones without counting them.
// Inlining COMMON and formatting the numbers saves a quarter of the time. Times use %.0f, since %d overflows on 32-bit
// servers at 2^31 ms (25 days).
const REDEEM = `
local challenge = redis.call('HMGET', KEYS[1], 'code', 'left', 'taken')
local code, left, taken = challenge[1], tonumber(challenge[2]), tonumber(challenge[3])
if not code then return {3} end
if left < 1 then return {2} end
local short = string.sub(code, 1, 1) == 's'
if short ~= (string.sub(ARGV[1], 1, 1) == 's') then return {4} end

local capacity, refill = tonumber(ARGV[2]), tonumber(ARGV[3])
local full = redis.call('PTTL', KEYS[2])
if full == -1 then error('a bucket without TTL') end
if full < 0 then full = 0 end
if short and full > math.floor(capacity / 2) * refill then
  local was_empty = redis.call('GET', KEYS[2]) == 'long'
  local empty = full + refill > capacity * refill
  if empty and not was_empty then redis.call('SET', KEYS[2], 'long', 'PX', full) end
  if empty or was_empty then return {4} end
end

if short then taken = taken + 1 end
redis.call('HSET', KEYS[1], 'left', string.format('%d', left - 1), 'taken', string.format('%d', taken))
if code == ARGV[1] then
  redis.call('DEL', KEYS[1])
  if short then taken = taken - 1 end
  if taken > 0 and full > 0 then redis.call('PEXPIRE', KEYS[2], full - taken * refill) end
  return {0}
end
if not short then return {1, left - 1, 0} end
full = full + refill
local escalated = full + refill > capacity * refill
redis.call('SET', KEYS[2], escalated and 'long' or '', 'PX', string.format('%.0f', full))
return {1, left - 1, escalated and 1 or 0}
`

const SPEND = `
local capacity, refill = tonumber(ARGV[2]), tonumber(ARGV[3])
local full = ms_until_full(KEYS[1])
if ARGV[1] == '-1' then
  if full > 0 then redis.call('PEXPIRE', KEYS[1], full - refill) end
  return {0}
end
local wait = ms_until_permit(full, capacity, refill)
if wait > 0 then return {1, seconds(wait)} end
if full > 0 then
  redis.call('PEXPIRE', KEYS[1], full + refill)
else
  redis.call('SET', KEYS[1], '', 'PX', refill)
end
return {0}
`

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

export const scripts = { open: script(COMMON + OPEN), redeem: script(REDEEM), spend: script(COMMON + SPEND) } as const
