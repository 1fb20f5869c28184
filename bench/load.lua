-- wrk's script: reads or changes of System profiles, over the accounts of a file.
--
--   wrk … -s bench/load.lua URL -- read|update|encrypted FILE
--
-- FILE holds one token a line; for encrypted updates, what bench/encrypted.mjs prepared, of which each is sent once. Every change gives a name that no change before it gave, so that each one is written.
-- At the end it prints one line: requests a second, milliseconds at the 50th and 99th percentile, refused or lost requests.

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
  -- Another name in every run, lest the second one change nothing.
  run = os.time()
  sent = number * 1000 -- the threads begin at different accounts
end

function prepare_encrypted(file)
  local line_number = 0
  for line in io.lines(file) do
    -- Each thread sends every other one: there are two.
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
    -- When they have run out the last one is sent again, refused, and fails the run: prepare more.
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
