-- Imports that the pages prepare and run: the file until it was imported, and what is shown of it.
CREATE TABLE import_jobs (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  session_id uuid NOT NULL,
  file_name text NOT NULL,
  stage text NOT NULL,
  reading text NOT NULL,
  columns text NOT NULL,
  preview text NOT NULL,
  plan text NOT NULL,
  when_rejected text NOT NULL,
  import_id uuid,
  result text NOT NULL,
  problem text NOT NULL,
  done bigint NOT NULL,
  total bigint NOT NULL,
  PRIMARY KEY (tenant_no, id)
);
ALTER TABLE import_jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON import_jobs
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
CREATE TABLE import_parts (
  tenant_no integer NOT NULL,
  job_id uuid NOT NULL,
  file text NOT NULL,
  part bigint NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (tenant_no, job_id, file, part),
  FOREIGN KEY (tenant_no, job_id) REFERENCES import_jobs (tenant_no, id)
);
ALTER TABLE import_parts ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_parts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON import_parts
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
-- When something is to be done for each of them, or it is to be removed. Servers look here before they know the tenant.
CREATE TABLE import_queue (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  job_id uuid NOT NULL,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_no, job_id)
);
CREATE INDEX import_queue_by_time ON import_queue (due_at);
