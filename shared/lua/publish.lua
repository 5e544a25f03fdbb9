-- Store a batch of entries and publish the same bytes; those that are stored already are left out of both.
--
-- KEYS  lease, log, state
-- ARGV  token (the lease's value), offset of the first entry, history_ttl_ms, history_len, min_id (or empty), channel,
--       n, n pairs of a field and its value for the state, then type, received_ms, bytes of each entry
--
-- {OK, last, stored}   all are in the log, `stored` of them since now
-- {LOST}               the lease is somebody else's, or expired
-- {NOLOG}              there is no log
-- {HOLE, last}         the log ends before the batch begins, or in another epoch

local lease, log, state = unpack(KEYS)
local token, first, history_ttl_ms, history_len, min_id, channel, pairs_given = unpack(ARGV, 1, 7)
local entries_at = 8 + 2 * pairs_given

if redis.call('GET', lease) ~= token then return {'LOST'} end
if redis.call('EXISTS', log) == 0 then return {'NOLOG'} end
local last
local about = redis.call('XINFO', 'STREAM', log)
for i = 1, #about, 2 do
  if about[i] == 'last-generated-id' then last = about[i + 1] end
end
local epoch, last_epoch, last_offset = string.match(token, '^%d+'), string.match(last, '^(%d+)-(%d+)$')
if last_epoch ~= epoch or tonumber(first) > tonumber(last_offset) + 1 then return {'HOLE', last} end

local stored, offset = 0, tonumber(first)
for i = entries_at, #ARGV, 3 do
  if offset > tonumber(last_offset) then
    local id, kind, received_ms, bytes = epoch .. '-' .. string.format('%.0f', offset), unpack(ARGV, i, i + 2)
    redis.call('XADD', log, 'NOMKSTREAM', 'MAXLEN', '~', history_len, id, 't', kind, 'r', received_ms, 'd', bytes)
    redis.call('SPUBLISH', channel, id .. ' ' .. kind .. ' ' .. received_ms .. ' ' .. bytes)
    last, stored = id, stored + 1
  end
  offset = offset + 1
end
if stored > 0 and entries_at > 8 then redis.call('HSET', state, unpack(ARGV, 8, entries_at - 1)) end
if min_id ~= '' then redis.call('XTRIM', log, 'MINID', min_id) end
redis.call('PEXPIRE', log, history_ttl_ms)
redis.call('PEXPIRE', state, history_ttl_ms)
return {'OK', last, stored}
