-- One-time tokens for enrolment. Of a token only the public key is here that its proof is checked with.
CREATE TABLE enrolment_token (
  verifier BLOB PRIMARY KEY,
  school TEXT NOT NULL,                  -- its code; the school need not be admitted yet
  until_ms INTEGER NOT NULL,
  new_generation INTEGER NOT NULL,       -- a restored box may take the place of the known one
  tries INTEGER NOT NULL DEFAULT 0,      -- that failed
  used_by BLOB                           -- digest of the keys of the box that used it; NULL until then
) STRICT, WITHOUT ROWID;
