-- Take rooms out of the index whose demand was gone, unless somebody asked for them since.
--
-- KEYS  rooms
-- ARGV  pairs of a room and the score it had when its demand was looked for
--
-- how many were taken out

local forgotten = 0
for i = 1, #ARGV, 2 do
  if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i])) == tonumber(ARGV[i + 1]) then
    forgotten = forgotten + redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return forgotten
