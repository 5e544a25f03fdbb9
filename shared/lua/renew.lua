-- Keep the lease and the log alive, and tell gateways the last id: a lost tail shows in nothing else.
--
-- KEYS  lease, log, state
-- ARGV  token (the lease's value), ttl_ms, history_ttl_ms, channel
--
-- {OK, last}   held; revived when it had expired and nobody had come since
-- {LOST}       somebody else has it, or had it
-- {NOLOG}      there is no log

local lease, log, state = unpack(KEYS)
local token, ttl_ms, history_ttl_ms, channel = unpack(ARGV)

local held = redis.call('GET', lease)
if held ~= token and (held or redis.call('HGET', state, 'holder') ~= token) then return {'LOST'} end
if redis.call('EXISTS', log) == 0 then return {'NOLOG'} end
local last
local about = redis.call('XINFO', 'STREAM', log)
for i = 1, #about, 2 do
  if about[i] == 'last-generated-id' then last = about[i + 1] end
end

redis.call('PEXPIRE', log, history_ttl_ms)
redis.call('PEXPIRE', state, history_ttl_ms)
if held then
  redis.call('PEXPIRE', lease, ttl_ms) -- unlike SET, allowed when memory is used up
else
  redis.call('SET', lease, token, 'PX', ttl_ms)
end
redis.call('SPUBLISH', channel, last .. ' alive 0 -')
return {'OK', last}
