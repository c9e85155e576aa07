#!lua flags=allow-oom
-- ARGV: time, number of entries to read from each stream. Returns the number of dropped entries.
local dropped = 0
for stream, drop in pairs({[predictions] = drop_prediction, [feedback] = drop_feedback}) do
    for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', ARGV[2])) do
        local time = tonumber(value(entry, 'time')) or string.match(entry[1], '%d+') / 1000
        if time < tonumber(ARGV[1]) then
            drop(entry)
            dropped = dropped + 1
        end
    end
end
return dropped
