-- A ledger as its writer or its mirror keeps it. The head is one row that every append replaces in its transaction.
CREATE TABLE ledger (
  id INTEGER PRIMARY KEY,
  origin TEXT NOT NULL UNIQUE,
  public_key BLOB NOT NULL,              -- PEM of the key that signs its checkpoints
  size INTEGER NOT NULL DEFAULT 0,
  frontier BLOB NOT NULL DEFAULT x'',    -- roots of the perfect subtrees on the right edge, largest first
  last_time_ms INTEGER NOT NULL DEFAULT 0,
  boot INTEGER NOT NULL DEFAULT 0,       -- index of the entry that introduced boot_id
  boot_id BLOB NOT NULL DEFAULT x'',
  checkpoint BLOB,                       -- COSE, of exactly this size
  cosigned_size INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE entry (
  ledger INTEGER NOT NULL REFERENCES ledger (id),
  idx INTEGER NOT NULL,
  entry BLOB NOT NULL,                   -- deterministic CBOR, exactly what the tree hashes
  body BLOB,                             -- salt and content under the entry's own key; NULL once erased or never sent
  PRIMARY KEY (ledger, idx)
) STRICT, WITHOUT ROWID;

-- The key of each body, wrapped: erasing this row erases the body wherever a copy of it lies.
CREATE TABLE body_key (
  ledger INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  PRIMARY KEY (ledger, idx)
) STRICT, WITHOUT ROWID;

-- Roots of perfect subtrees of 16, 256, 4096 ... leaves: any proof needs few of them and at most 16 entries.
CREATE TABLE node (
  ledger INTEGER NOT NULL,
  level INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (ledger, level, idx)
) STRICT, WITHOUT ROWID;

-- Every confirmation that the other side gave, with the checkpoint it confirms.
CREATE TABLE cosignature (
  ledger INTEGER NOT NULL,
  size INTEGER NOT NULL,
  checkpoint BLOB NOT NULL,
  cosignature BLOB NOT NULL,
  stored_ms INTEGER NOT NULL,
  PRIMARY KEY (ledger, size)
) STRICT, WITHOUT ROWID;

-- The roster of pseudonyms, derived from the entries that introduced them.
CREATE TABLE identity (
  ledger INTEGER NOT NULL,
  number INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  pseudonym BLOB NOT NULL,
  PRIMARY KEY (ledger, number),
  UNIQUE (ledger, kind, pseudonym)
) STRICT, WITHOUT ROWID;

CREATE TABLE secret (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER entry_is_never_changed BEFORE UPDATE OF ledger, idx, entry ON entry
BEGIN SELECT raise(ABORT, 'entries are append-only'); END;

CREATE TRIGGER entry_body_only_goes BEFORE UPDATE OF body ON entry WHEN new.body IS NOT NULL
BEGIN SELECT raise(ABORT, 'a body can only be erased'); END;

CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry
BEGIN SELECT raise(ABORT, 'entries are append-only'); END;

CREATE TRIGGER entry_is_the_next BEFORE INSERT ON entry
WHEN new.idx <> (SELECT coalesce(max(idx) + 1, 0) FROM entry WHERE ledger = new.ledger)
BEGIN SELECT raise(ABORT, 'entries are appended in order'); END;

CREATE TRIGGER node_is_never_changed BEFORE UPDATE ON node
BEGIN SELECT raise(ABORT, 'nodes are append-only'); END;

CREATE TRIGGER node_is_never_deleted BEFORE DELETE ON node
BEGIN SELECT raise(ABORT, 'nodes are append-only'); END;

CREATE TRIGGER cosignature_is_never_changed BEFORE UPDATE ON cosignature
BEGIN SELECT raise(ABORT, 'cosignatures are append-only'); END;

CREATE TRIGGER cosignature_is_never_deleted BEFORE DELETE ON cosignature
BEGIN SELECT raise(ABORT, 'cosignatures are append-only'); END;

CREATE TRIGGER ledger_only_grows BEFORE UPDATE OF size, cosigned_size, origin ON ledger
WHEN new.size < old.size OR new.cosigned_size < old.cosigned_size OR new.origin <> old.origin
BEGIN SELECT raise(ABORT, 'a ledger only grows'); END;

CREATE TRIGGER ledger_is_never_deleted BEFORE DELETE ON ledger
BEGIN SELECT raise(ABORT, 'a ledger is never deleted'); END;
