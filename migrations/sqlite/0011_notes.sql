-- How far the notes of each tenant have been indexed again, because a newer version indexes more of them. A tenant
-- without a row has not begun.
CREATE TABLE note_reindexing (
  tenant_no INTEGER PRIMARY KEY REFERENCES tenants (no),
  form INTEGER NOT NULL,
  pass INTEGER NOT NULL,
  last_id BLOB NOT NULL,
  began_at INTEGER NOT NULL
) STRICT;
