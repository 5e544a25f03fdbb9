-- Book the next look at a room that is not live: behind those that are booked at other rooms of its platform.
--
-- KEYS  looks (lives until the last one booked)
-- ARGV  rest_ms (until the look, at least), gap_ms (between two looks, at least)
--
-- ms until the look

local rest_ms, gap_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local booked_ms = redis.call('PTTL', KEYS[1])
local wait_ms = rest_ms
if booked_ms > 0 then wait_ms = math.max(rest_ms, booked_ms + gap_ms) end
redis.call('SET', KEYS[1], '1', 'PX', wait_ms)
return wait_ms
