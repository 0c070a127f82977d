-- The schools that this hub admitted, and what it last heard of each.
CREATE TABLE school (
  code TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  box_origin TEXT NOT NULL UNIQUE,
  feed_origin TEXT NOT NULL UNIQUE,
  admitted_ms INTEGER NOT NULL,
  certificate_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE contact (
  school TEXT PRIMARY KEY REFERENCES school (code),
  online INTEGER NOT NULL DEFAULT 0,
  size INTEGER,                          -- of the box's ledger, as the box says; NULL before its first word
  cosigned INTEGER,
  seen_ms INTEGER,
  refused_code TEXT,
  refused_ms INTEGER
) STRICT, WITHOUT ROWID;
