-- Which certificates were issued, which of them count no more, and which schools are shut out.
CREATE TABLE issued_certificate (
  serial TEXT PRIMARY KEY,               -- hexadecimal
  school TEXT NOT NULL,
  until_ms INTEGER NOT NULL,
  revoked_ms INTEGER                     -- NULL while it counts
) STRICT, WITHOUT ROWID;
CREATE INDEX issued_certificate_by_school ON issued_certificate (school);

CREATE TABLE revoked_school (
  school TEXT PRIMARY KEY REFERENCES school (code),
  at_ms INTEGER NOT NULL,
  reason TEXT NOT NULL                   -- the operator's words; never sent anywhere
) STRICT, WITHOUT ROWID;
