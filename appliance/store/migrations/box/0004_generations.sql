-- A restored box goes on in a new generation of its ledger, whose entries are numbered from 0 again. What refers to an
-- entry says of which generation it is; all that is there before this step is of the first.
CREATE TABLE visit_row (
  generation INTEGER NOT NULL,           -- of the box's ledger
  entry INTEGER NOT NULL,
  guardian TEXT NOT NULL REFERENCES person (id),
  purpose TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (generation, entry)
) STRICT, WITHOUT ROWID;
INSERT INTO visit_row SELECT 1, entry, guardian, purpose, at_ms FROM visit;
DROP TABLE visit;
ALTER TABLE visit_row RENAME TO visit;
CREATE INDEX visit_by_time ON visit (at_ms);

ALTER TABLE card_link ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;

ALTER TABLE evidence ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
DROP INDEX evidence_by_entry;
CREATE INDEX evidence_by_entry ON evidence (generation, entry);
