-- The keys of each ledger, own or mirrored, in their order: the first was pinned when the ledger was added, and each
-- further one follows by the will of the one before.
CREATE TABLE ledger_key (
  ledger INTEGER NOT NULL,
  first INTEGER NOT NULL,                -- the size of the first checkpoint that it signs
  public_key BLOB NOT NULL,              -- PEM
  succession BLOB NOT NULL,              -- COSE_Sign1 of the key before; empty for the first key
  PRIMARY KEY (ledger, first)
) STRICT, WITHOUT ROWID;
INSERT INTO ledger_key SELECT id, 0, public_key, x'' FROM ledger;
ALTER TABLE ledger DROP COLUMN public_key;

CREATE TRIGGER ledger_key_is_the_last BEFORE INSERT ON ledger_key
WHEN new.first <= (SELECT max(first) FROM ledger_key WHERE ledger = new.ledger)
BEGIN SELECT raise(ABORT, 'keys follow one another'); END;

CREATE TRIGGER ledger_key_is_never_changed BEFORE UPDATE ON ledger_key
BEGIN SELECT raise(ABORT, 'keys are append-only'); END;

CREATE TRIGGER ledger_key_is_never_deleted BEFORE DELETE ON ledger_key
BEGIN SELECT raise(ABORT, 'keys are append-only'); END;
