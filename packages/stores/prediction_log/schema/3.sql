CREATE INDEX feedback_by_prediction ON feedback (prediction_id);
CREATE TABLE erased_predictions (number INTEGER PRIMARY KEY AUTOINCREMENT, prediction_id TEXT NOT NULL UNIQUE);
-- `number` as in the table of feedback, so that a reader can go on behind it.
CREATE TABLE erased_feedback (number INTEGER PRIMARY KEY, feedback_id TEXT NOT NULL UNIQUE);
-- How much feedback came on a day since 1970, from a source; in all where the source is ''.
CREATE TABLE feedback_counts (day INTEGER, source TEXT, count INTEGER NOT NULL, PRIMARY KEY (day, source)) WITHOUT ROWID;
