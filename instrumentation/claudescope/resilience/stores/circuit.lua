-- One circuit, shared by all processes. Every message is answered with a snapshot, and all times are Redis' own.
--
-- KEYS[1]  the circuit, a hash
-- ARGV     kind, epoch, token, successes, failures or -1, rate or -1, minimum calls, window ms, cooldown ms, lease ms,
--          successful probes, time to live ms
-- returns  state, epoch, ms until a probe may be asked for, ms since it closed or -1, failures in the window, granted
local key, kind, epoch, token = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local window, cooldown, lease = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local circuit, fields = {}, redis.call('HGETALL', key)
for i = 1, #fields, 2 do circuit[fields[i]] = fields[i + 1] end
local state, current = circuit.state or 'closed', tonumber(circuit.epoch or '0')
local untilms, closed = tonumber(circuit['until'] or '0'), tonumber(circuit.closed or '-1')
local granted = 0

-- The window is ten buckets; each is "number:good:bad", and one with an old number is empty.
local width = math.max(1, math.floor(window / 10))
local number = math.floor(now / width)
local function bucket(at)
  local kept, good, bad = string.match(circuit['b' .. at % 10] or '', '^(%d+):(%d+):(%d+)$')
  if kept and tonumber(kept) == at then return tonumber(good), tonumber(bad) end
  return 0, 0
end
local function counts()
  local good, bad = 0, 0
  for at = number - 9, number do
    local g, b = bucket(at)
    good, bad = good + g, bad + b
  end
  return good, bad
end
local function set(field, value)
  circuit[field] = tostring(value)
  redis.call('HSET', key, field, value)
end
local function clear()
  redis.call('HDEL', key, 'lease', 'b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'b8', 'b9')
  circuit = {}
end
local function move(to)
  state, current = to, current + 1
  set('state', state)
  set('epoch', current)
end
local function open()
  clear()
  move('open')
  untilms = now + cooldown
  set('until', untilms)
end

if kind == 'bad' then
  if state == 'closed' and epoch == current then
    local good, bad = bucket(number)
    set('b' .. number % 10, number .. ':' .. good + tonumber(ARGV[4]) .. ':' .. bad + 1)
    good, bad = counts()
    local most, rate, calls = tonumber(ARGV[5]), tonumber(ARGV[6]), good + bad
    if (most > 0 and bad >= most) or (rate > 0 and calls >= tonumber(ARGV[7]) and bad >= rate * calls) then open() end
  end
elseif kind == 'trip' then
  if state == 'closed' then open() end
elseif kind == 'probe' then
  local held = circuit.lease and circuit.lease ~= '' and now < untilms
  if (state == 'open' and now >= untilms) or (state == 'half_open' and not held) then
    if state ~= 'half_open' then
      move('half_open')
      set('probes', 0)
    end
    untilms, granted = now + lease, 1
    set('lease', token)
    set('until', untilms)
  end
elseif circuit.lease == token and state == 'half_open' then
  set('lease', '')
  untilms = now
  set('until', untilms)
  if kind == 'probe_bad' then
    open()
  elseif kind == 'probe_good' then
    set('probes', tonumber(circuit.probes or '0') + 1)
    if tonumber(circuit.probes) >= tonumber(ARGV[11]) then
      clear()
      move('closed')
      closed = now
      set('closed', now)
    end
  end
end
if next(circuit) then redis.call('PEXPIRE', key, ARGV[12]) end
local _, failures = counts()
return {state, current, math.max(0, untilms - now), closed < 0 and -1 or now - closed, failures, granted}
