-- Take the lease of a room, and open an epoch in its log. Nothing else creates a log.
--
-- KEYS  lease, log, state, demand
-- ARGV  owner, ttl_ms, history_ttl_ms, history_len, need_demand (1 or 0), replaces (an owner, or empty),
--       floor (an epoch), jitter (0 to 999999), channel
--
-- {OK, epoch, prev, clean}   held from now on; asked again by the same owner: the answer of the first time
-- {HELD, lease, pttl}        somebody else has it
-- {IDLE}                     nobody wants the room

local lease, log, state, demand = unpack(KEYS)
local owner, ttl_ms, history_ttl_ms, history_len, need_demand, replaces, floor, jitter, channel = unpack(ARGV)

local held = redis.call('GET', lease)
if held then
  local epoch, holder = string.match(held, '^(%d+) (.*)$')
  if holder == owner then
    redis.call('PEXPIRE', lease, ttl_ms)
    local told = redis.call('HMGET', state, 'prev', 'clean')
    return {'OK', epoch, told[1] or '-', told[2] or '0'}
  end
  if replaces == '' or holder ~= replaces then
    return {'HELD', held, redis.call('PTTL', lease)}
  end
end
if need_demand == '1' and redis.call('EXISTS', demand) == 0 then
  return {'IDLE'}
end

-- The last id given, not the last entry: it is right also after the log was trimmed to nothing.
local prev, least = '-', tonumber(floor)
if redis.call('EXISTS', log) == 1 then
  local about = redis.call('XINFO', 'STREAM', log)
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then prev = about[i + 1] end
  end
  least = math.max(least, tonumber(string.match(prev, '^%d+')))
end
local clean = '0'
if prev ~= '-' and redis.call('HGET', state, 'closed') == prev then clean = '1' end

-- Microseconds: milliseconds are shared by rooms acquired in a row. Jitter when the clock is behind: a log that went
-- back, together with a clock set back, must not lead to an epoch that was used before.
local time = redis.call('TIME')
local epoch = tonumber(time[1]) * 1000000 + tonumber(time[2])
if epoch <= least then epoch = least + 1 + tonumber(jitter) end
epoch = string.format('%.0f', epoch) -- plain concatenation keeps 14 digits

local id, token = epoch .. '-0', epoch .. ' ' .. owner
redis.call('XADD', log, 'MAXLEN', '~', history_len, id, 't', 'epoch', 'r', '0', 'd', prev)
redis.call('SET', lease, token, 'PX', ttl_ms)
redis.call('HSET', state, 'holder', token, 'prev', prev, 'clean', clean)
-- With the log went the ids that tell what the upstream, going on from there, would bring a second time.
if prev == '-' then redis.call('HDEL', state, 'cursor') end
if replaces == '' then redis.call('HDEL', state, 'phase') end -- the last holder's; ours is told in a moment
redis.call('PEXPIRE', log, history_ttl_ms)
redis.call('PEXPIRE', state, history_ttl_ms)
redis.call('SPUBLISH', channel, id .. ' epoch 0 ' .. prev)
return {'OK', epoch, prev, clean}
