#!lua flags=allow-oom
-- Index by prediction the feedback of older versions of Doodle, which had no such index. The field '' has the last indexed entry.
-- ARGV: number of entries to read. Returns the number of entries that it read.
local last = redis.call('HGET', by_prediction, '')
local entries = redis.call('XRANGE', feedback, last and '(' .. last or '-', '+', 'COUNT', ARGV[1])
for _, entry in ipairs(entries) do
    local prediction = value(entry, 'prediction_id')
    if prediction and prediction ~= '' then link(prediction, entry[1]) end
end
if #entries > 0 then redis.call('HSET', by_prediction, '', entries[#entries][1]) end
return #entries
