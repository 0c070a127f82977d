-- What only the box knows: people with their names, links between cards and people, visits, staff.
-- The ledger next door holds no name; its identities are pseudonyms that only this box can resolve.
CREATE TABLE school (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  origin TEXT NOT NULL,
  generation INTEGER NOT NULL
) STRICT;

-- The roster as it was imported, whole; the tables after it are derived from the latest one.
CREATE TABLE roster (
  id INTEGER PRIMARY KEY,
  imported_ms INTEGER NOT NULL,
  file BLOB NOT NULL
) STRICT;

CREATE TABLE person (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('pupil', 'guardian', 'staff')),
  name TEXT NOT NULL,
  kana TEXT NOT NULL,
  class TEXT NOT NULL DEFAULT '',         -- title of the home class of a pupil
  number INTEGER,                         -- 出席番号
  protected INTEGER NOT NULL,             -- 支援措置: neither confirm nor deny
  present INTEGER NOT NULL                -- 0 once a later roster no longer has this person
) STRICT;
CREATE INDEX person_by_class ON person (class, number);

CREATE TABLE guardianship (
  guardian TEXT NOT NULL REFERENCES person (id),
  pupil TEXT NOT NULL REFERENCES person (id),
  since TEXT NOT NULL DEFAULT '',         -- ISO dates, empty is open
  until TEXT NOT NULL DEFAULT '',
  barred INTEGER NOT NULL
) STRICT;
CREATE INDEX guardianship_by_pupil ON guardianship (pupil);
CREATE INDEX guardianship_by_guardian ON guardianship (guardian);

-- The digest of a code that staff printed; the code itself is only on the paper.
CREATE TABLE link_code (
  digest BLOB PRIMARY KEY,
  guardian TEXT NOT NULL REFERENCES person (id),
  issued_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  issued_by TEXT NOT NULL,
  used_ms INTEGER,
  withdrawn_ms INTEGER
) STRICT;

CREATE TABLE code_attempt (at_ms INTEGER NOT NULL) STRICT;

-- A card, known by its pseudonym alone, stands for a guardian.
CREATE TABLE card_link (
  pseudonym BLOB PRIMARY KEY,
  guardian TEXT NOT NULL REFERENCES person (id),
  entry INTEGER NOT NULL,
  linked_ms INTEGER NOT NULL,
  ended_ms INTEGER
) STRICT;

CREATE TABLE visit (
  entry INTEGER PRIMARY KEY,
  guardian TEXT NOT NULL REFERENCES person (id),
  purpose TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX visit_by_time ON visit (at_ms);

-- Statement, certificate and signature, encrypted to the hub's verifier; the box cannot read yesterday's.
CREATE TABLE evidence_epoch (
  id BLOB PRIMARY KEY,
  sealed BLOB NOT NULL,
  begun_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE evidence (
  digest BLOB PRIMARY KEY,
  epoch BLOB NOT NULL REFERENCES evidence_epoch (id),
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE staff (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  password TEXT NOT NULL,                 -- argon2id
  failures INTEGER NOT NULL DEFAULT 0,
  locked_until_ms INTEGER NOT NULL DEFAULT 0,
  added_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE staff_session (
  digest BLOB PRIMARY KEY,
  staff TEXT NOT NULL REFERENCES staff (id),
  started_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
