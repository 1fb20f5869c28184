-- wrk's script: reads or changes of System profiles, over the accounts of a file.
--
--   wrk … -s bench/load.lua URL -- read|update FILE
--
-- FILE holds one token a line. Every change gives a name that no change before it gave, so that each one is written.
-- At the end it prints one line: requests a second, milliseconds at the 50th and 99th percentile, refused or lost requests.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init(arguments)
  kind = arguments[1]
  prepared = {}
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

function request()
  sent = sent + 1
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
