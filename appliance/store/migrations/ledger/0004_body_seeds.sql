-- The keys of all bodies of a ledger come from one secret that can forget single keys (store/body_keys.py); a backup of
-- the entries then holds no key. What bodies there are is sealed anew by store/resealing.py before this step ends.
CREATE TABLE body_seed (
  id INTEGER PRIMARY KEY,                -- ledger << 44 | level << 38 | index, as nodes of the tree are numbered
  seed BLOB NOT NULL
) STRICT;

DROP TRIGGER entry_body_only_goes;
