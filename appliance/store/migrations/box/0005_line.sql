-- What the line carried whenever it was measured; nothing personal.
CREATE TABLE line_sample (
  at_ms INTEGER PRIMARY KEY,             -- since 1970
  bit_s INTEGER NOT NULL CHECK (bit_s >= 0),
  rtt_ms INTEGER NOT NULL CHECK (rtt_ms >= 0),
  total_bytes INTEGER NOT NULL CHECK (total_bytes >= 0)
) STRICT;
