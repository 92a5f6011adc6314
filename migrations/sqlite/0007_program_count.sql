-- How many programs registered themselves that nobody has connected, at most: registering adds to it, and
-- the sweep corrects it. Counting them for each registration would cost more the more there are.
CREATE TABLE oauth_client_counts (
  kind TEXT PRIMARY KEY,
  unconnected INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Such programs, the one unused for longest first. Only a program with a document has a time at which it is stale.
CREATE INDEX oauth_clients_waiting ON oauth_clients (last_used_at, stale_at, connected_at)
  WHERE stale_at IS NULL AND connected_at IS NULL;
