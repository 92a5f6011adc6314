-- Erasures, each with the id of its customer: how much was erased, and when. Of one that is not done, run_at and
-- entries_after say how far the run that goes on is.
CREATE TABLE erasures (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  customer_number INTEGER NOT NULL,
  began_at INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  entries_after BLOB,
  erased_at INTEGER,
  due_at INTEGER,
  rewritten_at INTEGER,
  contents INTEGER NOT NULL,
  customers INTEGER NOT NULL,
  contacts INTEGER NOT NULL,
  locations INTEGER NOT NULL,
  subjects INTEGER NOT NULL,
  tags INTEGER NOT NULL,
  notes INTEGER NOT NULL,
  files INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX erasures_by_start ON erasures (tenant_no, began_at, id);
-- Those after which the files of the database are to be written again.
CREATE INDEX erasures_due ON erasures (tenant_no, due_at) WHERE rewritten_at IS NULL;
