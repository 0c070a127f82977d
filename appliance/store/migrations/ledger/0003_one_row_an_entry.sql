-- An append is one row at the end of one table: entry, sealed body, the keys of the bodies that were appended with it,
-- and on the last of them the signed head. Rows are numbered ledger << 44 | index, nodes ledger << 44 | level << 38 | index.
CREATE TABLE entry_row (
  id INTEGER PRIMARY KEY,
  entry BLOB NOT NULL,                   -- deterministic CBOR, exactly what the tree hashes
  body BLOB,                             -- salt and content under the entry's own key; NULL once erased or never sent
  keys BLOB,                             -- wrapped: 32 bytes for this entry and each one after it up to the next keys
  head BLOB                              -- the checkpoint (COSE) of the tree that ends here, where an append ended
) STRICT;

INSERT INTO entry_row
SELECT (entry.ledger << 44) | entry.idx, entry, body, wrapped, CASE WHEN entry.idx = size - 1 THEN checkpoint END
FROM entry JOIN ledger ON ledger.id = entry.ledger
LEFT JOIN body_key ON body_key.ledger = entry.ledger AND body_key.idx = entry.idx
ORDER BY 1;

CREATE TABLE node_row (id INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
INSERT INTO node_row SELECT (ledger << 44) | (level << 38) | idx, hash FROM node ORDER BY 1;

CREATE TABLE ledger_row (
  id INTEGER PRIMARY KEY,
  origin TEXT NOT NULL UNIQUE,
  public_key BLOB NOT NULL,              -- PEM of the key that signs its checkpoints
  boot INTEGER NOT NULL DEFAULT 0,       -- index of the entry that introduced boot_id
  boot_id BLOB NOT NULL DEFAULT x''
) STRICT;
INSERT INTO ledger_row SELECT id, origin, public_key, boot, boot_id FROM ledger;

-- These rows reach the new tables; what kept them from going has done its work.
DROP TRIGGER entry_is_never_changed;
DROP TRIGGER entry_body_only_goes;
DROP TRIGGER entry_is_never_deleted;
DROP TRIGGER entry_is_the_next;
DROP TRIGGER node_is_never_changed;
DROP TRIGGER node_is_never_deleted;
DROP TRIGGER ledger_only_grows;
DROP TRIGGER ledger_is_never_deleted;
DROP TABLE body_key;
DROP TABLE node;
DROP TABLE entry;
DROP TABLE ledger;
ALTER TABLE entry_row RENAME TO entry;
ALTER TABLE node_row RENAME TO node;
ALTER TABLE ledger_row RENAME TO ledger;

CREATE TRIGGER entry_is_never_changed BEFORE UPDATE OF id, entry, head ON entry
BEGIN SELECT raise(ABORT, 'entries are append-only'); END;

CREATE TRIGGER entry_body_only_goes BEFORE UPDATE OF body ON entry WHEN new.body IS NOT NULL
BEGIN SELECT raise(ABORT, 'a body can only be erased'); END;

CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry
BEGIN SELECT raise(ABORT, 'entries are append-only'); END;

CREATE TRIGGER entry_is_the_next BEFORE INSERT ON entry
WHEN new.id & 0xfffffffffff <> 0 AND NOT EXISTS (SELECT 1 FROM entry WHERE id = new.id - 1)
BEGIN SELECT raise(ABORT, 'entries are appended in order'); END;

CREATE TRIGGER entry_has_a_ledger BEFORE INSERT ON entry
WHEN new.id & 0xfffffffffff = 0 AND NOT EXISTS (SELECT 1 FROM ledger WHERE id = new.id >> 44)
BEGIN SELECT raise(ABORT, 'there is no such ledger'); END;

CREATE TRIGGER node_is_never_changed BEFORE UPDATE ON node
BEGIN SELECT raise(ABORT, 'nodes are append-only'); END;

CREATE TRIGGER node_is_never_deleted BEFORE DELETE ON node
BEGIN SELECT raise(ABORT, 'nodes are append-only'); END;

CREATE TRIGGER ledger_stays BEFORE UPDATE OF id, origin ON ledger
BEGIN SELECT raise(ABORT, 'a ledger keeps its name'); END;

CREATE TRIGGER ledger_is_never_deleted BEFORE DELETE ON ledger
BEGIN SELECT raise(ABORT, 'a ledger is never deleted'); END;
