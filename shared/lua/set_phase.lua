-- Write a room's phase, with what else became true, and tell gateways. Fenced: a holder that was frozen while it ended
-- a room must not write "ended" into what somebody else runs by then.
--
-- KEYS  lease, state
-- ARGV  token (the lease's value), history_ttl_ms, channel, phase (JSON), then pairs of a field and its value
--
-- {OK}     written and told
-- {LOST}   the lease is somebody else's, or expired

local lease, state = unpack(KEYS)
local token, history_ttl_ms, channel, phase = unpack(ARGV, 1, 4)

if redis.call('GET', lease) ~= token then return {'LOST'} end
redis.call('HSET', state, 'phase', phase, unpack(ARGV, 5))
redis.call('PEXPIRE', state, history_ttl_ms)
redis.call('SPUBLISH', channel, '- phase 0 ' .. phase)
return {'OK'}
