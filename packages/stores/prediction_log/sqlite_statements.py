"""The SQL of the prediction log in SQLite. All values are parameters. schema/ has the tables."""

# Skips known and erased ids. INSERT OR IGNORE would use up a number for them.
ADD_PREDICTION = """
INSERT INTO predictions (prediction_id, time, form, digit, is_digit, confidence, model_version, picture)
SELECT :prediction_id, :time, :form, :digit, :is_digit, :confidence, :model_version, :picture
WHERE NOT EXISTS (SELECT 1 FROM predictions WHERE prediction_id = :prediction_id)
    AND NOT EXISTS (SELECT 1 FROM erased_predictions WHERE prediction_id = :prediction_id)
"""
ADD_FEEDBACK = """
INSERT INTO feedback (feedback_id, time, prediction_id, predicted_digit, actual_digit, model_version, picture, source)
VALUES (:feedback_id, :time, :prediction_id, :predicted_digit, :actual_digit, :model_version, :picture, :source)
"""
FEEDBACK_ON = "SELECT feedback_id, actual_digit FROM feedback WHERE prediction_id = :prediction_id"
IS_FEEDBACK = "SELECT EXISTS (SELECT 1 FROM feedback WHERE feedback_id = ?)"
IS_ERASED = """
SELECT EXISTS (SELECT 1 FROM erased_feedback WHERE feedback_id = :feedback_id)
    OR EXISTS (SELECT 1 FROM erased_predictions WHERE prediction_id = :prediction_id)
"""
COUNT_OF_DAY = "SELECT coalesce((SELECT count FROM feedback_counts WHERE day = ? AND source = ?), 0)"
COUNT_ONE_MORE = "INSERT INTO feedback_counts VALUES (?, ?, 1) ON CONFLICT (day, source) DO UPDATE SET count = count + 1"
FORGET_COUNTS = "DELETE FROM feedback_counts WHERE day < ?"
ONE_PREDICTION = "SELECT * FROM predictions WHERE prediction_id = ?"
NEWEST_PREDICTIONS = "SELECT * FROM predictions ORDER BY number DESC"
PLACE_OF_FEEDBACK = """
SELECT number FROM feedback WHERE feedback_id = :id UNION SELECT number FROM erased_feedback WHERE feedback_id = :id
"""
LATER_FEEDBACK = "SELECT * FROM feedback WHERE number > ? ORDER BY number"
TRIM = """
DELETE FROM predictions WHERE number IN (
    SELECT number FROM predictions WHERE number <= (SELECT max(number) FROM predictions) - ? ORDER BY number LIMIT ?
)
"""
IS_KNOWN_PREDICTION = """
SELECT EXISTS (SELECT 1 FROM predictions WHERE prediction_id = :id)
    OR EXISTS (SELECT 1 FROM feedback WHERE prediction_id = :id)
    OR EXISTS (SELECT 1 FROM erased_predictions WHERE prediction_id = :id)
"""
IS_KNOWN_FEEDBACK = """
SELECT EXISTS (SELECT 1 FROM feedback WHERE feedback_id = :id)
    OR EXISTS (SELECT 1 FROM erased_feedback WHERE feedback_id = :id)
"""
ERASE_PREDICTION: tuple[str, ...] = (
    "INSERT OR REPLACE INTO erased_predictions (prediction_id) VALUES (:id)",
    "INSERT OR IGNORE INTO erased_feedback SELECT number, feedback_id FROM feedback WHERE prediction_id = :id",
    "DELETE FROM feedback WHERE prediction_id = :id",
    "DELETE FROM predictions WHERE prediction_id = :id",
)
ERASE_FEEDBACK: tuple[str, ...] = (
    "INSERT OR IGNORE INTO erased_feedback SELECT number, feedback_id FROM feedback WHERE feedback_id = :id",
    "DELETE FROM feedback WHERE feedback_id = :id",
)
FORGET_ERASED = (
    "DELETE FROM erased_predictions WHERE number <= (SELECT max(number) FROM erased_predictions) - :predictions",
    "DELETE FROM erased_feedback WHERE number <= (SELECT max(number) FROM erased_feedback) - :feedback",
)
WAS_ERASED = "SELECT EXISTS (SELECT 1 FROM erased_feedback WHERE feedback_id = ?)"
DROP_OLDER = (
    "DELETE FROM predictions WHERE time < :time AND number IN (SELECT number FROM predictions ORDER BY number LIMIT :count)",
    "DELETE FROM feedback WHERE time < :time AND number IN (SELECT number FROM feedback ORDER BY number LIMIT :count)",
)
SUMMARY = """
SELECT
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'predictions'), 0),
    (SELECT count(*) FROM predictions),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'feedback'), 0)
"""
