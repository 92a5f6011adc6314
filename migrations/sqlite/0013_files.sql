-- The files on notes. Their content is in the file store, under the tenant's id and the file's. A row whose file was
-- removed stays until the content is deleted.
CREATE TABLE files (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  note_id BLOB NOT NULL,
  name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  width INTEGER,
  height INTEGER,
  created_by BLOB NOT NULL,
  removed_at INTEGER,
  PRIMARY KEY (tenant_no, id)
) STRICT, WITHOUT ROWID;
-- SQLite would not use an index of only the files that are not removed.
CREATE INDEX files_of_note ON files (tenant_no, note_id, removed_at, id);
-- For the total of a tenant.
CREATE INDEX files_sizes ON files (tenant_no, size);
CREATE INDEX files_removed ON files (tenant_no, removed_at) WHERE removed_at IS NOT NULL;
