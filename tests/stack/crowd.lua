-- For wrk: many people draw the same 1. Says how often each answer came, so that one made of two models shows, and what was refused.
wrk.method = "POST"
wrk.body = '{"strokes": [[[140, 40], [145, 130], [150, 240]]]}'
wrk.headers["Content-Type"] = "application/json"

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  answers, refused = {}, {}
end

function response(status, _, body)
  if status == 200 then
    local answer = body:match('"model_version":"(%x+)"') .. " " .. body:match('"probabilities":%[(.-)%]')
    answers[answer] = (answers[answer] or 0) + 1
  else
    table.insert(refused, status .. " " .. body)
  end
end

function done(summary, latency)
  for _, thread in ipairs(threads) do
    for answer, count in pairs(thread:get("answers")) do print("answered", count, answer) end
    for _, what in ipairs(thread:get("refused")) do print("refused", what) end
  end
  local errors = summary.errors
  print("failed", errors.connect + errors.read + errors.write + errors.timeout)
  print("rate", summary.requests / summary.duration * 1e6)
  print("p99", latency:percentile(99) / 1e3)
end
