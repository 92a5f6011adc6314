-- The files on notes. Their content is in the file store, under the tenant's id and the file's. A row whose file was
-- removed stays until the content is deleted.
CREATE TABLE files (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  id uuid NOT NULL,
  note_id uuid NOT NULL,
  name text NOT NULL,
  media_type text NOT NULL,
  size bigint NOT NULL,
  sha256 text NOT NULL,
  width bigint,
  height bigint,
  created_by uuid NOT NULL,
  removed_at timestamptz,
  PRIMARY KEY (tenant_no, id)
);
CREATE INDEX files_of_note ON files (tenant_no, note_id, removed_at, id);
-- For the total of a tenant.
CREATE INDEX files_sizes ON files (tenant_no, size);
CREATE INDEX files_removed ON files (tenant_no, removed_at) WHERE removed_at IS NOT NULL;
ALTER TABLE files ENABLE ROW LEVEL SECURITY;
ALTER TABLE files FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON files
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
