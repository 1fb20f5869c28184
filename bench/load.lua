-- Script for wrk with one thread: sends prepared requests.
--
--   wrk -t1 … -s bench/load.lua URL -- FILE again FIRST         each request in turn, again and again
--   wrk -t1 … -s bench/load.lua URL -- FILE once FIRST          each request once; after the last one it is sent again
--   wrk -t1 … -s bench/load.lua URL -- FILE again FIRST RATE    at most so many requests per second
--
-- FILE contains requests as they are sent, each after a line with its length. Twelve # in a request are replaced by a number
-- that counts up from FIRST, so that every change sets a value that no earlier change has set.
-- At the end it prints one line: requests, microseconds, microseconds at the 50th and 99th percentile, refused or lost
-- requests.

local SLOT = "############"
local ffi = require("ffi")
ffi.cdef [[
  struct bench_time { long seconds, microseconds; };
  int gettimeofday(struct bench_time *time, void *zone);
]]

local requests = {}
local next_request, counter, is_once = 0, 0, false

function init(arguments)
  read_requests(arguments[1])
  is_once = arguments[2] == "once"
  counter = tonumber(arguments[3])
  if arguments[4] then
    keep_rate(tonumber(arguments[4]))
  end
end

function read_requests(name)
  local file = io.open(name, "rb")
  for length in file:lines() do
    local request = file:read(tonumber(length))
    local first, last = request:find(SLOT, 1, true)
    if first then
      requests[#requests + 1] = { request:sub(1, first - 1), request:sub(last + 1) }
    else
      requests[#requests + 1] = request
    end
  end
  file:close()
end

-- Requests are due at fixed times, whether or not earlier ones were answered in time. wrk asks before each request how many
-- milliseconds it is to wait.
function keep_rate(rate)
  local interval, due = 1000 / rate, milliseconds()
  function delay()
    due = due + interval
    return math.max(0, math.floor(due - milliseconds() + 0.5))
  end
end

function milliseconds()
  local time = ffi.new("struct bench_time")
  ffi.C.gettimeofday(time, nil)
  return tonumber(time.seconds) * 1000 + tonumber(time.microseconds) / 1000
end

function request()
  next_request = next_request + 1
  if next_request > #requests then
    next_request = is_once and #requests or 1
  end
  local prepared = requests[next_request]
  if type(prepared) == "string" then
    return prepared
  end
  counter = counter + 1
  return prepared[1] .. string.format("%012d", counter) .. prepared[2]
end

function done(summary, latency)
  local errors = summary.errors
  local lost = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("result %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), lost))
end
