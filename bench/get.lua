-- wrk: GET of one's own row by key, 4,000 different ones in turn.  Argument: a file with one token a
-- line; the user of line u (from 0) owns the rows whose id is u modulo the number of lines.
local requests = {}
local at = 0

function init(args)
  local tokens = {}
  for line in io.lines(args[1]) do tokens[#tokens + 1] = line end
  math.randomseed(tonumber(args[2]))
  for i = 1, 4000 do
    local id = math.random(1, 100000)
    requests[i] = wrk.format("GET", "/rest/v1/item?id=eq." .. id, {
      ["Host"] = "127.0.0.1",
      ["Authorization"] = "Bearer " .. tokens[id % #tokens + 1],
    })
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

local wrong = 0
function response(status, headers, body)
  if status ~= 200 or #body < 10 then wrong = wrong + 1 end
end
-- Looking at each answer costs wrk more than asking: only where CHECK is set.
if not os.getenv("CHECK") then response = nil end

function done(summary, latency)
  io.write(string.format("result %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status + wrong,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
