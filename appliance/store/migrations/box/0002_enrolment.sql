-- The hub this box belongs to: the document it was given, nothing of it secret. A renewal replaces it.
CREATE TABLE enrolment (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  bundle TEXT NOT NULL CHECK (json_valid(bundle)),
  stored_ms INTEGER NOT NULL
) STRICT;
