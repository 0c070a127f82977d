-- The entry that an item belongs to: with the entry's body goes its evidence. NULL: sealed before this step.
ALTER TABLE evidence ADD COLUMN entry INTEGER;
CREATE INDEX evidence_by_entry ON evidence (entry);

-- The certificates that an entry card.certificate has introduced, each known by a digest keyed with the school's key:
-- neither a certificate nor its serial number can be told from it.
CREATE TABLE card_certificate (
  known BLOB PRIMARY KEY,
  entry INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX card_certificate_by_entry ON card_certificate (entry);
