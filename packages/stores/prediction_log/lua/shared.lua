-- redis.py inserts this file after the first line of each script.
-- KEYS: stream, index (id -> entry) and erased ids of predictions; the same of feedback; the index of feedback by prediction; the
-- day's counts of feedback.
local predictions, predictions_index, predictions_erased = KEYS[1], KEYS[2], KEYS[3]
local feedback, feedback_index, feedback_erased = KEYS[4], KEYS[5], KEYS[6]
local by_prediction, counts = KEYS[7], KEYS[8]

local function value(entry, name)
    for place = 1, #entry[2], 2 do
        if entry[2][place] == name then return entry[2][place + 1] end
    end
    return nil -- tonumber() needs an argument, and a function without a return statement gives none
end

local function link(prediction, entry)
    local linked = redis.call('HGET', by_prediction, prediction) or ''
    if not string.find(' ' .. linked .. ' ', ' ' .. entry .. ' ', 1, true) then
        redis.call('HSET', by_prediction, prediction, linked == '' and entry or linked .. ' ' .. entry)
    end
end

local function drop_prediction(entry)
    redis.call('XDEL', predictions, entry[1])
    redis.call('HDEL', predictions_index, value(entry, 'prediction_id') or '')
end

local function drop_feedback(entry)
    local prediction, others = value(entry, 'prediction_id') or '', {}
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

local function entry_at(stream, entry)
    return entry and redis.call('XRANGE', stream, entry, entry)[1]
end

-- The score of erased feedback is its place in the stream, milliseconds * 1000 + number, so that a reader can continue after it.
local function erase_feedback(entry, id)
    local milliseconds, number = string.match(entry[1], '(%d+)-(%d+)')
    drop_feedback(entry)
    if not id then return end
    redis.call('ZADD', feedback_erased, string.format('%.0f', milliseconds * 1000 + math.min(number, 999)), id)
end
