#!lua
-- ARGV: limit of a source, limit of the day, seconds to keep counts, feedback id, prediction id, source, then names and values of
-- all fields. Returns 'kept', or the reason for a rejection.
local of_source, of_day, id, prediction, source = 'source ' .. ARGV[6], 'all', ARGV[4], ARGV[5], ARGV[6]
local entry = redis.call('HGET', feedback_index, id)
if entry then
    -- WAIT covers only its own connection's writes. This write changes nothing, but WAIT now covers the earlier record too.
    redis.call('HSET', feedback_index, id, entry)
    return 'kept'
end
if redis.call('ZSCORE', feedback_erased, id) or redis.call('ZSCORE', predictions_erased, prediction) then return 'erased' end
if source ~= '' and tonumber(redis.call('HGET', counts, of_source) or 0) >= tonumber(ARGV[1]) then return 'source' end
if tonumber(redis.call('HGET', counts, of_day) or 0) >= tonumber(ARGV[2]) then return 'day' end
redis.call('HINCRBY', counts, of_source, 1)
redis.call('HINCRBY', counts, of_day, 1)
redis.call('EXPIRE', counts, ARGV[3])
entry = redis.call('XADD', feedback, '*', unpack(ARGV, 7))
redis.call('HSET', feedback_index, id, entry)
if prediction ~= '' then link(prediction, entry) end
return 'kept'
