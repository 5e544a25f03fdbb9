-- Give a room up.
--
-- KEYS  lease, log, state, demand
-- ARGV  token (the lease's value), only_if_idle (1 or 0), the last id its holder knows to be stored (or empty)
--
-- {OK}       free; `closed` is written when the log ends where its holder says: nothing was left unsent
-- {WANTED}   still held: only_if_idle, and somebody wants the room
-- {LOST}     it was not held any more

local lease, log, state, demand = unpack(KEYS)
local token, only_if_idle, acknowledged = unpack(ARGV)

if redis.call('GET', lease) ~= token then return {'LOST'} end
if only_if_idle == '1' and redis.call('EXISTS', demand) == 1 then return {'WANTED'} end
local last
if redis.call('EXISTS', log) == 1 then
  local about = redis.call('XINFO', 'STREAM', log)
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then last = about[i + 1] end
  end
end

redis.call('DEL', lease)
redis.call('HDEL', state, 'holder')
if last == acknowledged then redis.call('HSET', state, 'closed', last) end
return {'OK'}
