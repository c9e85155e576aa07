-- For wrk: all clients send the same 1. Print the count of each answer and of each rejection.
-- Argument: each client's mean pause in milliseconds.
wrk.method = "POST"
wrk.body = '{"strokes": [[[140, 40], [145, 130], [150, 240]]]}'
wrk.headers["Content-Type"] = "application/json"

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  answers, refused = {}, {}
  local pause = tonumber(args[1])
  if pause > 0 then
    function delay()
      return math.random(0, 2 * pause)
    end
  end
end

function response(status, headers, body)
  if status == 200 then
    local answer = body:match('"model_version":"(%x+)"') .. " " .. body:match('"probabilities":%[(.-)%]')
    answers[answer] = (answers[answer] or 0) + 1
  else
    local what = status .. " " .. (headers["Retry-After"] or headers["retry-after"] or "-") .. " " .. body
    refused[what] = (refused[what] or 0) + 1
  end
end

function done(summary, latency)
  for _, thread in ipairs(threads) do
    for answer, count in pairs(thread:get("answers")) do print("answered", count, answer) end
    for what, count in pairs(thread:get("refused")) do print("refused", count, what) end
  end
  local errors = summary.errors
  print("failed", errors.connect + errors.read + errors.write + errors.timeout)
  print("rate", summary.requests / summary.duration * 1e6)
  print("p99", latency:percentile(99) / 1e3)
end
