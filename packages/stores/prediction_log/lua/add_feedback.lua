#!lua
-- ARGV: limit of a source, limit of the day, seconds to keep counts, feedback id, prediction id, source, actual digit, '1' if it
-- replaces earlier feedback, number of erased feedback ids to keep, then names and values of all fields. Returns 'added', 'known',
-- or the reason for a rejection.
local of_source, of_day, id, prediction, source = 'source ' .. ARGV[6], 'all', ARGV[4], ARGV[5], ARGV[6]

-- WAIT covers only its own connection's writes. This write changes nothing, but WAIT now covers the earlier record too.
local function known(kept_id, entry)
    redis.call('HSET', feedback_index, kept_id, entry)
    return 'known'
end

local entry = redis.call('HGET', feedback_index, id)
if entry then return known(id, entry) end
local earlier = {}
if ARGV[8] == '1' then
    for linked in string.gmatch(redis.call('HGET', by_prediction, prediction) or '', '%S+') do
        earlier[#earlier + 1] = entry_at(feedback, linked) or nil
    end
    local only = #earlier == 1 and earlier[1]
    if only and value(only, 'actual_digit') == ARGV[7] then return known(value(only, 'feedback_id'), only[1]) end
end
if redis.call('ZSCORE', feedback_erased, id) or redis.call('ZSCORE', predictions_erased, prediction) then return 'erased' end
if source ~= '' and tonumber(redis.call('HGET', counts, of_source) or 0) >= tonumber(ARGV[1]) then return 'source' end
if tonumber(redis.call('HGET', counts, of_day) or 0) >= tonumber(ARGV[2]) then return 'day' end
redis.call('HINCRBY', counts, of_source, 1)
redis.call('HINCRBY', counts, of_day, 1)
redis.call('EXPIRE', counts, ARGV[3])
for _, said in ipairs(earlier) do erase_feedback(said, value(said, 'feedback_id')) end
redis.call('ZREMRANGEBYRANK', feedback_erased, 0, -1 - ARGV[9])
entry = redis.call('XADD', feedback, '*', unpack(ARGV, 10))
redis.call('HSET', feedback_index, id, entry)
if prediction ~= '' then link(prediction, entry) end
return 'added'
