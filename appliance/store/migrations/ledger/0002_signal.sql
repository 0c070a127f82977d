-- What one program says of itself for the others to show: the line, the reader. Replaced, never collected.
CREATE TABLE signal (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL CHECK (json_valid(value)),
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
