-- Reserves the price of a call in a budget of a day of UTC. Amounts are whole micro-dollars.
-- KEYS: the budget's hash; its reservations, by the time when they lapse.
-- ARGV: amount, limit, 1 to refuse above the limit, name of the reservation, its time to live in ms, what this process
-- has spent since it last told.
-- Returns whether it was reserved, what is spent, what is reserved.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local day = tostring(math.floor(time[1] / 86400))
local amount, limit, ttl = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[5])
if redis.call('HGET', KEYS[1], 'day') ~= day then
  redis.call('HSET', KEYS[1], 'day', day, 'spent', 0)
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('HINCRBY', KEYS[1], 'reserved', -tonumber(string.match(member, ':(%d+)$')))
  redis.call('ZREM', KEYS[2], member)
end
local spent = redis.call('HINCRBY', KEYS[1], 'spent', tonumber(ARGV[6]))
local reserved = tonumber(redis.call('HGET', KEYS[1], 'reserved') or '0')
local granted = 1
if ARGV[3] == '1' and (spent >= limit or spent + reserved + amount > limit) then
  granted = 0
else
  redis.call('ZADD', KEYS[2], now + ttl, ARGV[4] .. ':' .. ARGV[1])
  reserved = redis.call('HINCRBY', KEYS[1], 'reserved', amount)
end
redis.call('PEXPIRE', KEYS[1], 172800000 + ttl)
redis.call('PEXPIRE', KEYS[2], 172800000 + ttl)
return {granted, spent, reserved}
