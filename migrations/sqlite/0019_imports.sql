-- Imports of files with customers. The file itself is not kept.
CREATE TABLE imports (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  file_name TEXT NOT NULL,
  state TEXT NOT NULL,
  customers INTEGER NOT NULL,
  added INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, id)
) STRICT, WITHOUT ROWID;
-- What an import added: a customer with all that belongs to it, or the tags. The digest tells the rows of the file from
-- all others, so that they are not added again.
CREATE TABLE imported (
  tenant_no INTEGER NOT NULL,
  import_id BLOB NOT NULL,
  entry_id BLOB NOT NULL,
  record_id BLOB NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (tenant_no, import_id, entry_id),
  FOREIGN KEY (tenant_no, import_id) REFERENCES imports (tenant_no, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX imported_by_digest ON imported (tenant_no, digest, entry_id);
CREATE INDEX imported_by_record ON imported (tenant_no, record_id);
