-- The servers that run on this database, and the address at which clients reach each: a command beside
-- one prints links to it.
CREATE TABLE servers (
  process_id uuid PRIMARY KEY,
  url text NOT NULL,
  started_at timestamptz NOT NULL
);
CREATE INDEX servers_by_start ON servers (started_at);
