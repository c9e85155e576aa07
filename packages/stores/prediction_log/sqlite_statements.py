"""The SQL of the prediction log in SQLite. All of it stands here; values that somebody sends are parameters, never a part of it.

Columns are in the order of the records' fields.
"""

APPLICATION, VERSION = 0x446F6F64, 3  # in the file's header: the program ("Dood"), and the form

ERASED_AND_COUNTED = (
    "CREATE INDEX feedback_by_prediction ON feedback (prediction_id)",
    "CREATE TABLE erased_predictions (number INTEGER PRIMARY KEY AUTOINCREMENT, prediction_id TEXT NOT NULL UNIQUE)",
    # `number` as in the table of feedback, so that a reader can go on behind it.
    "CREATE TABLE erased_feedback (number INTEGER PRIMARY KEY, feedback_id TEXT NOT NULL UNIQUE)",
    # How much feedback came on a day since 1970, from a source; in all where the source is ''.
    "CREATE TABLE feedback_counts (day INTEGER, source TEXT, count INTEGER NOT NULL, PRIMARY KEY (day, source)) WITHOUT ROWID",
)

# A total is the largest number that AUTOINCREMENT ever gave, which sqlite_sequence keeps when rows go. WAL stays with the file.
SCHEMA = f"""
BEGIN;
CREATE TABLE predictions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    prediction_id TEXT NOT NULL UNIQUE,
    time REAL NOT NULL,
    form TEXT NOT NULL,
    digit INTEGER NOT NULL,
    is_digit INTEGER NOT NULL,
    confidence REAL NOT NULL,
    model_version TEXT NOT NULL,
    picture BLOB NOT NULL
);
CREATE TABLE feedback (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    feedback_id TEXT NOT NULL UNIQUE,
    time REAL NOT NULL,
    prediction_id TEXT,
    predicted_digit INTEGER,
    actual_digit INTEGER,
    model_version TEXT,
    picture BLOB NOT NULL,
    source TEXT
);
{";".join(ERASED_AND_COUNTED)};
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
PRAGMA journal_mode = WAL;
"""

# By version: what makes the next one of it.
UPGRADES = {1: ("ALTER TABLE feedback ADD COLUMN source TEXT",), 2: ERASED_AND_COUNTED}

# An insertion does nothing where the id is there, or was erased; INSERT OR IGNORE would use up a number even then.
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
IS_FEEDBACK = "SELECT EXISTS (SELECT 1 FROM feedback WHERE feedback_id = ?)"
IS_ERASED = """
SELECT EXISTS (SELECT 1 FROM erased_feedback WHERE feedback_id = :feedback_id)
    OR EXISTS (SELECT 1 FROM erased_predictions WHERE prediction_id = :prediction_id)
"""
COUNT_OF_DAY = "SELECT coalesce((SELECT count FROM feedback_counts WHERE day = ? AND source = ?), 0)"
COUNT_ONE_MORE = """
INSERT INTO feedback_counts VALUES (?, ?, 1) ON CONFLICT (day, source) DO UPDATE SET count = count + 1
"""
FORGET_COUNTS = "DELETE FROM feedback_counts WHERE day < ?"
ONE_PREDICTION = """
SELECT prediction_id, time, form, digit, is_digit, confidence, model_version, picture FROM predictions WHERE prediction_id = ?
"""
NEWEST_PREDICTIONS = """
SELECT prediction_id, time, form, digit, is_digit, confidence, model_version, picture FROM predictions ORDER BY number DESC
"""
PLACE_OF_FEEDBACK = """
SELECT number FROM feedback WHERE feedback_id = :id UNION SELECT number FROM erased_feedback WHERE feedback_id = :id
"""
LATER_FEEDBACK = """
SELECT feedback_id, time, prediction_id, predicted_digit, actual_digit, model_version, picture, source FROM feedback
WHERE number > ? ORDER BY number
"""
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
ERASE_PREDICTION = (
    "INSERT OR REPLACE INTO erased_predictions (prediction_id) VALUES (:id)",
    "INSERT OR IGNORE INTO erased_feedback SELECT number, feedback_id FROM feedback WHERE prediction_id = :id",
    "DELETE FROM feedback WHERE prediction_id = :id",
    "DELETE FROM predictions WHERE prediction_id = :id",
)
ERASE_FEEDBACK = (
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
ANY_OLDER = """
SELECT EXISTS (SELECT 1 FROM (SELECT time FROM predictions ORDER BY number LIMIT :count) WHERE time < :time)
    OR EXISTS (SELECT 1 FROM (SELECT time FROM feedback ORDER BY number LIMIT :count) WHERE time < :time)
"""
SUMMARY = """
SELECT
    (SELECT seq FROM sqlite_sequence WHERE name = 'predictions'),
    (SELECT count(*) FROM predictions),
    (SELECT seq FROM sqlite_sequence WHERE name = 'feedback')
"""
