-- Script for wrk: reads or changes System profiles of the accounts in a file.
--
--   wrk … -s bench/load.lua URL -- read|update|encrypted FILE
--
-- FILE contains one token per line; for encrypted updates, the output of bench/encrypted.mjs, each line of which is sent
-- once. Every change sets a name that no earlier change has set, so that each one is written.
-- At the end it prints one line: requests per second, milliseconds at the 50th and 99th percentile, refused or lost
-- requests.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init(arguments)
  kind = arguments[1]
  prepared = {}
  if kind == "encrypted" then
    return prepare_encrypted(arguments[2])
  end
  for token in io.lines(arguments[2]) do
    local headers = { ["Authorization"] = "Bearer " .. token, ["X-Client-Hash"] = "bench" }
    if kind == "update" then
      headers["Content-Type"] = "application/json"
      prepared[#prepared + 1] = headers
    else
      prepared[#prepared + 1] = wrk.format("GET", nil, headers)
    end
  end
  -- A different name in every run; otherwise a second run would change nothing.
  run = os.time()
  sent = number * 1000 -- the threads begin at different accounts
end

function prepare_encrypted(file)
  local line_number = 0
  for line in io.lines(file) do
    -- Each of the two threads sends every other line.
    if line_number % 2 == number % 2 then
      local token, session, envelope = line:match("(%S+) (%S+) (%S+)")
      local body = envelope:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end)
      local headers = { ["Authorization"] = "Bearer " .. token, ["X-Client-Hash"] = "bench",
        ["Content-Type"] = "application/json;charset=UTF-8", ["X-SC-Session-Id"] = session, ["X-SC-Version"] = "2" }
      prepared[#prepared + 1] = { headers, body }
    end
    line_number = line_number + 1
  end
  sent = 0
end

function request()
  sent = sent + 1
  if kind == "encrypted" then
    -- After the last prepared update, it is sent again, refused, and fails the run: prepare more.
    local next = prepared[math.min(sent, #prepared)]
    return wrk.format("POST", nil, next[1], next[2])
  end
  local next = prepared[sent % #prepared + 1]
  if kind == "read" then
    return next
  end
  return wrk.format("POST", nil, next, '{"accountName":"' .. run .. " " .. number .. " " .. sent .. '"}')
end

function done(summary, latency)
  local errors = summary.errors
  local lost = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("result %.0f %.2f %.2f %d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, lost))
end
