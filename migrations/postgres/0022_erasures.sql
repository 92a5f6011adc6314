-- Erasures, each with the id of its customer: how much was erased, and when. Of one that is not done, run_at and
-- entries_after say how far the run that goes on is.
CREATE TABLE erasures (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  id uuid NOT NULL,
  customer_number bigint NOT NULL,
  began_at timestamptz NOT NULL,
  run_at timestamptz NOT NULL,
  entries_after uuid,
  erased_at timestamptz,
  due_at timestamptz,
  rewritten_at timestamptz,
  contents bigint NOT NULL,
  customers bigint NOT NULL,
  contacts bigint NOT NULL,
  locations bigint NOT NULL,
  subjects bigint NOT NULL,
  tags bigint NOT NULL,
  notes bigint NOT NULL,
  files bigint NOT NULL,
  entries bigint NOT NULL,
  PRIMARY KEY (tenant_no, id)
);
CREATE INDEX erasures_by_start ON erasures (tenant_no, began_at, id);
-- Those after which the files of the database are to be written again.
CREATE INDEX erasures_due ON erasures (tenant_no, due_at) WHERE rewritten_at IS NULL;
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON erasures
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
