CREATE INDEX feedback_by_prediction ON feedback (prediction_id);
CREATE TABLE erased_predictions (number INTEGER PRIMARY KEY AUTOINCREMENT, prediction_id TEXT NOT NULL UNIQUE);
-- `number` is the former number in feedback, so that a reader can continue after it.
CREATE TABLE erased_feedback (number INTEGER PRIMARY KEY, feedback_id TEXT NOT NULL UNIQUE);
-- Accepted feedback on a day since 1970, from a source; the source '' has the day's total.
CREATE TABLE feedback_counts (day INTEGER, source TEXT, count INTEGER NOT NULL, PRIMARY KEY (day, source)) WITHOUT ROWID;
