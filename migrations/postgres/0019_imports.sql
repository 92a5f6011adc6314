-- Imports of files with customers. The file itself is not kept.
CREATE TABLE imports (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  file_name text NOT NULL,
  state text NOT NULL,
  customers bigint NOT NULL,
  added bigint NOT NULL,
  PRIMARY KEY (tenant_no, id)
);
ALTER TABLE imports ENABLE ROW LEVEL SECURITY;
ALTER TABLE imports FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON imports
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
-- What an import added: a customer with all that belongs to it, or the tags. The digest tells the rows of the file from
-- all others, so that they are not added again.
CREATE TABLE imported (
  tenant_no integer NOT NULL,
  import_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  record_id uuid NOT NULL,
  digest bytea NOT NULL,
  PRIMARY KEY (tenant_no, import_id, entry_id),
  FOREIGN KEY (tenant_no, import_id) REFERENCES imports (tenant_no, id)
);
CREATE INDEX imported_by_digest ON imported (tenant_no, digest, entry_id);
CREATE INDEX imported_by_record ON imported (tenant_no, record_id);
ALTER TABLE imported ENABLE ROW LEVEL SECURITY;
ALTER TABLE imported FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON imported
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
