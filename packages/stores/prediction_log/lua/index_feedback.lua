#!lua flags=allow-oom
-- Index by prediction the feedback of older versions of Doodle, which did not. The field '' says how far this script has read.
-- ARGV: how many entries to read. Returns how many it read.
local last = redis.call('HGET', by_prediction, '')
local entries = redis.call('XRANGE', feedback, last and '(' .. last or '-', '+', 'COUNT', ARGV[1])
for _, entry in ipairs(entries) do
    local prediction = value(entry, 'prediction_id')
    if prediction and prediction ~= '' then link(prediction, entry[1]) end
end
if #entries > 0 then redis.call('HSET', by_prediction, '', entries[#entries][1]) end
return #entries
