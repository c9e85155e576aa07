-- The totals of the summary are the largest AUTOINCREMENT numbers, which sqlite_sequence keeps when rows are deleted.
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
    picture BLOB NOT NULL
);
PRAGMA application_id = 0x446F6F64; -- "Dood"
