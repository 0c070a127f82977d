-- What each program last said of itself, for the others to see. Not a record: only the latest word is kept.
CREATE TABLE signal (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,                   -- JSON
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
