#!lua flags=allow-oom
-- ARGV: time, number of erased prediction ids to keep, number of erased feedback ids to keep, '1' if the predictions may not have
-- been added yet, number of prediction ids, the prediction ids, the feedback ids. Returns the ids that were found.
local is_expected, of_feedback, found = ARGV[4] == '1', 6 + ARGV[5], {}

for place = 6, #ARGV do
    local id, is_found = ARGV[place], false
    if place < of_feedback then
        local entry = entry_at(predictions, redis.call('HGET', predictions_index, id))
        is_found = is_expected or entry or redis.call('ZSCORE', predictions_erased, id)
        if entry then drop_prediction(entry) end
        for linked in string.gmatch(redis.call('HGET', by_prediction, id) or '', '%S+') do
            local said = entry_at(feedback, linked)
            if said then
                is_found = true
                erase_feedback(said, value(said, 'feedback_id'))
            end
        end
        redis.call('HDEL', by_prediction, id)
        if is_found then redis.call('ZADD', predictions_erased, ARGV[1], id) end
    else
        local entry = entry_at(feedback, redis.call('HGET', feedback_index, id))
        is_found = entry or redis.call('ZSCORE', feedback_erased, id)
        if entry then erase_feedback(entry, id) end
    end
    if is_found then found[#found + 1] = id end
end
redis.call('ZREMRANGEBYRANK', predictions_erased, 0, -1 - ARGV[2])
redis.call('ZREMRANGEBYRANK', feedback_erased, 0, -1 - ARGV[3])
return found
