-- Ends a reservation and charges what the call cost. Amounts are whole micro-dollars.
-- KEYS: as for reserve.lua. ARGV: name of the reservation, its amount, the cost.
-- Returns what is spent.
local time = redis.call('TIME')
local day = tostring(math.floor(time[1] / 86400))
if redis.call('ZREM', KEYS[2], ARGV[1] .. ':' .. ARGV[2]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'reserved', -tonumber(ARGV[2]))
end
if redis.call('HGET', KEYS[1], 'day') ~= day then
  redis.call('HSET', KEYS[1], 'day', day, 'spent', 0)
end
local spent = redis.call('HINCRBY', KEYS[1], 'spent', tonumber(ARGV[3]))
redis.call('PEXPIRE', KEYS[1], 172800000)
return spent
