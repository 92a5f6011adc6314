-- The servers that run on this database, and the address at which clients reach each: a command beside
-- one prints links to it.
CREATE TABLE servers (
  process_id BLOB PRIMARY KEY,
  url TEXT NOT NULL,
  started_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX servers_by_start ON servers (started_at);
