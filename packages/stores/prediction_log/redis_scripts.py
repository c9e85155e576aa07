"""The Lua scripts of the prediction log in Redis. Each one is atomic: it writes all of its changes or none.

A server that is out of memory or cannot write refuses a plain `#!lua` script before its first command. The scripts that free
memory run in a full server too.
"""

# At the cap each new entry pushes out the oldest one. After the cap was lowered it pushes out ten, so that no call takes long.
# XADD's own MAXLEN would not tell which entries it drops, and their ids would fill the memory.
ADD_PREDICTIONS = """#!lua
-- KEYS: the stream, its index, the erased ids.
-- ARGV: the cap, the number of a record's fields, their names with the id's first, then the values of each record in that order.
local stream, index, erased, cap, count = KEYS[1], KEYS[2], KEYS[3], tonumber(ARGV[1]), tonumber(ARGV[2])
for start = 3 + count, #ARGV, count do
    local id, fields = ARGV[start], {}
    if redis.call('HEXISTS', index, id) == 0 and not redis.call('ZSCORE', erased, id) then
        local excess = redis.call('XLEN', stream) + 1 - cap
        if excess > 0 then
            for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', math.min(excess, 10))) do
                redis.call('XDEL', stream, entry[1])
                redis.call('HDEL', index, entry[2][2])
            end
        end
        for field = 1, count do
            fields[2 * field - 1], fields[2 * field] = ARGV[2 + field], ARGV[start + field - 1]
        end
        redis.call('HSET', index, id, redis.call('XADD', stream, '*', unpack(fields)))
    end
end
"""

_LINK = """
local function link(by_prediction, prediction, entry)
    local linked = redis.call('HGET', by_prediction, prediction) or ''
    if not string.find(' ' .. linked .. ' ', ' ' .. entry .. ' ', 1, true) then
        redis.call('HSET', by_prediction, prediction, linked == '' and entry or linked .. ' ' .. entry)
    end
end
"""

_VALUE = """
local function value(entry, name)
    for place = 1, #entry[2], 2 do
        if entry[2][place] == name then return entry[2][place + 1] end
    end
    return nil -- a function without a value has no argument for tonumber
end
"""

ADD_FEEDBACK = f"""#!lua
-- KEYS: the stream, its index, its index by prediction, the erased ids of feedback, those of predictions, the day's counts.
-- ARGV: the limits of a source and of the day, for how many seconds counts are kept, the feedback's id, its prediction's id, its
-- source, then names and values of all fields. Returns 'kept', or the reason of a refusal.
local stream, index, by_prediction, erased, erased_predictions, counts = unpack(KEYS)
local of_source, of_day, id, prediction, source = 'source ' .. ARGV[6], 'all', ARGV[4], ARGV[5], ARGV[6]
{_LINK}
local entry = redis.call('HGET', index, id)
if entry then
    -- This write changes nothing, but WAIT knows only its own connection's writes: it now waits for another one's record too.
    redis.call('HSET', index, id, entry)
    return 'kept'
end
if redis.call('ZSCORE', erased, id) or redis.call('ZSCORE', erased_predictions, prediction) then return 'erased' end
if source ~= '' and tonumber(redis.call('HGET', counts, of_source) or 0) >= tonumber(ARGV[1]) then return 'source' end
if tonumber(redis.call('HGET', counts, of_day) or 0) >= tonumber(ARGV[2]) then return 'day' end
redis.call('HINCRBY', counts, of_source, 1)
redis.call('HINCRBY', counts, of_day, 1)
redis.call('EXPIRE', counts, ARGV[3])
entry = redis.call('XADD', stream, '*', unpack(ARGV, 7))
redis.call('HSET', index, id, entry)
if prediction ~= '' then link(by_prediction, prediction, entry) end
return 'kept'
"""

# Feedback of older versions has no entry in the index by prediction. The field '' says how far this script has read.
INDEX_FEEDBACK = f"""#!lua flags=allow-oom
-- KEYS: the stream of feedback, its index by prediction. ARGV: how many entries to read. Returns how many it read.
local stream, by_prediction = KEYS[1], KEYS[2]
{_VALUE}{_LINK}
local last = redis.call('HGET', by_prediction, '')
local entries = redis.call('XRANGE', stream, last and '(' .. last or '-', '+', 'COUNT', ARGV[1])
for _, entry in ipairs(entries) do
    local prediction = value(entry, 'prediction_id')
    if prediction and prediction ~= '' then link(by_prediction, prediction, entry[1]) end
end
if #entries > 0 then redis.call('HSET', by_prediction, '', entries[#entries][1]) end
return #entries
"""

_DROP = f"""
local predictions, predictions_index, feedback, feedback_index, by_prediction = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
{_VALUE}
local function drop_prediction(entry)
    redis.call('XDEL', predictions, entry[1])
    redis.call('HDEL', predictions_index, value(entry, 'prediction_id') or '')
end

local function drop_feedback(entry)
    local prediction, others = value(entry, 'prediction_id') or '', {{}}
    redis.call('XDEL', feedback, entry[1])
    redis.call('HDEL', feedback_index, value(entry, 'feedback_id') or '')
    if prediction == '' then return end
    for other in string.gmatch(redis.call('HGET', by_prediction, prediction) or '', '%S+') do
        if other ~= entry[1] then others[#others + 1] = other end
    end
    if #others > 0 then
        redis.call('HSET', by_prediction, prediction, table.concat(others, ' '))
    else
        redis.call('HDEL', by_prediction, prediction)
    end
end
"""

# The score of erased feedback is its place in the stream, so that a reader can go on behind it: milliseconds * 1000 + number.
ERASE = f"""#!lua flags=allow-oom
-- KEYS: the streams and indexes, see below; the erased ids of predictions, those of feedback.
-- ARGV: the time, how many erased ids of predictions are kept, how many of feedback, '1' where the predictions may still be on
-- their way, the number of ids of predictions, these, and then ids of feedback. Returns the ids that were found.
local erased_predictions, erased_feedback = KEYS[6], KEYS[7]
local is_expected, of_feedback, found = ARGV[4] == '1', 6 + ARGV[5], {{}}
{_DROP}
local function entry_at(stream, entry)
    return entry and redis.call('XRANGE', stream, entry, entry)[1]
end

local function erase_feedback(entry, id)
    local milliseconds, number = string.match(entry[1], '(%d+)-(%d+)')
    drop_feedback(entry)
    if not id then return end
    redis.call('ZADD', erased_feedback, string.format('%.0f', milliseconds * 1000 + math.min(number, 999)), id)
end

for place = 6, #ARGV do
    local id, is_found = ARGV[place], false
    if place < of_feedback then
        local entry = entry_at(predictions, redis.call('HGET', predictions_index, id))
        is_found = is_expected or entry or redis.call('ZSCORE', erased_predictions, id)
        if entry then drop_prediction(entry) end
        for linked in string.gmatch(redis.call('HGET', by_prediction, id) or '', '%S+') do
            local said = entry_at(feedback, linked)
            if said then
                is_found = true
                erase_feedback(said, value(said, 'feedback_id'))
            end
        end
        redis.call('HDEL', by_prediction, id)
        if is_found then redis.call('ZADD', erased_predictions, ARGV[1], id) end
    else
        local entry = entry_at(feedback, redis.call('HGET', feedback_index, id))
        is_found = entry or redis.call('ZSCORE', erased_feedback, id)
        if entry then erase_feedback(entry, id) end
    end
    if is_found then found[#found + 1] = id end
end
redis.call('ZREMRANGEBYRANK', erased_predictions, 0, -1 - ARGV[2])
redis.call('ZREMRANGEBYRANK', erased_feedback, 0, -1 - ARGV[3])
return found
"""

DROP_OLDER = f"""#!lua flags=allow-oom
-- KEYS: the streams and indexes, see below. ARGV: a time, how many entries of each stream to read. Returns how many it dropped.
{_DROP}
local dropped = 0
for stream, drop in pairs({{[predictions] = drop_prediction, [feedback] = drop_feedback}}) do
    for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', ARGV[2])) do
        local time = tonumber(value(entry, 'time')) or string.match(entry[1], '%d+') / 1000
        if time < tonumber(ARGV[1]) then
            drop(entry)
            dropped = dropped + 1
        end
    end
end
return dropped
"""
