-- The history in packed form. Entries of the former form are in `history` until the server has packed them.
CREATE TABLE history_origins (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  number INTEGER NOT NULL,
  tool TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  user_id BLOB,
  credential_id BLOB NOT NULL,
  client TEXT,
  address TEXT,
  PRIMARY KEY (tenant_no, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE history_entries (
  tenant_no INTEGER NOT NULL,
  id BLOB NOT NULL,
  origin INTEGER NOT NULL,
  changes BLOB NOT NULL,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, origin) REFERENCES history_origins (tenant_no, number)
) STRICT, WITHOUT ROWID;
