-- Generations of a box's ledger that took the place of the one before: which, why, and what a person has to see of it.
CREATE TABLE succession (
  origin TEXT PRIMARY KEY,               -- of the new generation
  school TEXT NOT NULL REFERENCES school (code),
  reason TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  before TEXT NOT NULL,                  -- the ledger that was mirrored here until then
  mirrored INTEGER NOT NULL,             -- entries of it
  closed TEXT NOT NULL,                  -- the ledger that the box closed: its own older copy
  closed_size INTEGER NOT NULL,
  first INTEGER NOT NULL,                -- the entries of the closed one that are carried over
  carried INTEGER NOT NULL,
  branch TEXT NOT NULL DEFAULT 'pending' CHECK (branch IN ('pending', 'complete', 'incomplete')),
  seen_ms INTEGER                        -- NULL until a person has said that it was seen
) STRICT, WITHOUT ROWID;
CREATE INDEX succession_by_school ON succession (school, at_ms);
