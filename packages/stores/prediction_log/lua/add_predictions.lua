#!lua
-- ARGV: cap, number of fields, names of the fields with the id first, then the values of each record in that order.
-- At the cap, each new entry drops the oldest one. After the cap was lowered, it drops ten, so that no call takes long.
-- XADD's MAXLEN does not return the dropped entries, so their ids would stay in the index and fill the memory.
local cap, count = tonumber(ARGV[1]), tonumber(ARGV[2])
for start = 3 + count, #ARGV, count do
    local id, fields = ARGV[start], {}
    if redis.call('HEXISTS', predictions_index, id) == 0 and not redis.call('ZSCORE', predictions_erased, id) then
        local excess = redis.call('XLEN', predictions) + 1 - cap
        if excess > 0 then
            for _, entry in ipairs(redis.call('XRANGE', predictions, '-', '+', 'COUNT', math.min(excess, 10))) do
                redis.call('XDEL', predictions, entry[1])
                redis.call('HDEL', predictions_index, entry[2][2])
            end
        end
        for field = 1, count do
            fields[2 * field - 1], fields[2 * field] = ARGV[2 + field], ARGV[start + field - 1]
        end
        redis.call('HSET', predictions_index, id, redis.call('XADD', predictions, '*', unpack(fields)))
    end
end
