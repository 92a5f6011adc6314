-- Imports that the pages prepare and run: the file until it was imported, and what is shown of it.
CREATE TABLE import_jobs (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  session_id BLOB NOT NULL,
  file_name TEXT NOT NULL,
  stage TEXT NOT NULL,
  reading TEXT NOT NULL,
  columns TEXT NOT NULL,
  preview TEXT NOT NULL,
  plan TEXT NOT NULL,
  when_rejected TEXT NOT NULL,
  import_id BLOB,
  result TEXT NOT NULL,
  problem TEXT NOT NULL,
  done INTEGER NOT NULL,
  total INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE import_parts (
  tenant_no INTEGER NOT NULL,
  job_id BLOB NOT NULL,
  file TEXT NOT NULL,
  part INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (tenant_no, job_id, file, part),
  FOREIGN KEY (tenant_no, job_id) REFERENCES import_jobs (tenant_no, id)
) STRICT;
-- When something is to be done for each of them, or it is to be removed. Servers look here before they know the tenant.
CREATE TABLE import_queue (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  job_id BLOB NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_queue_by_time ON import_queue (due_at);
