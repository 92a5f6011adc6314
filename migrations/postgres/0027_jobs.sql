-- Jobs. Their numbers are counted per tenant. A job without a start is last in lists: its list_order is the first
-- moment of the year 9999. Prices are ten-thousandths of the currency's main unit, totals are in its minor unit.
CREATE TABLE jobs (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  id uuid NOT NULL,
  status text NOT NULL CHECK (status IN ('unscheduled', 'scheduled', 'done', 'cancelled')),
  job_number bigint NOT NULL,
  list_order timestamptz NOT NULL,
  customer_id uuid,
  location_id uuid,
  scheduled_start timestamptz,
  scheduled_end timestamptz,
  flat_price bigint,
  total bigint NOT NULL,
  currency text NOT NULL,
  quote_id uuid,
  done_at timestamptz,
  cancelled_at timestamptz,
  created_by uuid,
  updated_by uuid,
  updated_at timestamptz NOT NULL,
  title text NOT NULL,
  title_folded text NOT NULL,
  assignee_ids text NOT NULL,
  cancel_reason text,
  description text,
  line_items text NOT NULL,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id),
  CHECK (scheduled_end IS NULL OR scheduled_end > scheduled_start),
  CHECK (location_id IS NULL OR customer_id IS NOT NULL),
  CHECK ((status = 'done') = (done_at IS NOT NULL) OR status = 'cancelled'),
  CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL))
);
CREATE UNIQUE INDEX jobs_number ON jobs (tenant_no, job_number);
CREATE INDEX jobs_listed ON jobs (tenant_no, list_order, id DESC) WHERE status <> 'cancelled';
CREATE INDEX jobs_by_status ON jobs (tenant_no, status, list_order, id DESC);
CREATE INDEX jobs_of_customer ON jobs (tenant_no, customer_id, list_order, id DESC) WHERE customer_id IS NOT NULL;
-- A quote gives one job; a cancelled one frees it.
CREATE UNIQUE INDEX jobs_of_quote ON jobs (tenant_no, quote_id) WHERE quote_id IS NOT NULL AND status <> 'cancelled';
-- Who works on a job, with the job's place in lists, so that a person's jobs are read in order.
CREATE TABLE job_assignees (
  tenant_no integer NOT NULL,
  job_id uuid NOT NULL,
  user_id uuid NOT NULL,
  list_order timestamptz NOT NULL,
  PRIMARY KEY (tenant_no, job_id, user_id),
  FOREIGN KEY (tenant_no, job_id) REFERENCES jobs (tenant_no, id)
);
CREATE INDEX job_assignees_of_user ON job_assignees (tenant_no, user_id, list_order, job_id DESC);
-- The jobs that so far existed only as the subjects of notes. Their titles are folded as far as SQL can.
CREATE POLICY moving_jobs ON subjects USING (true);
INSERT INTO jobs (tenant_no, id, status, job_number, list_order, customer_id, total, currency, cancelled_at, updated_at,
    title, title_folded, assignee_ids, line_items)
  SELECT s.tenant_no, s.id, CASE WHEN lower(s.status) LIKE 'cancel%' THEN 'cancelled' ELSE 'unscheduled' END,
    row_number() OVER (PARTITION BY s.tenant_no ORDER BY s.id), '9999-01-01T00:00:00Z', s.customer_id, 0,
    coalesce(t.currency, 'USD'), CASE WHEN lower(s.status) LIKE 'cancel%' THEN s.updated_at END, s.updated_at,
    s.title, lower(replace(replace(replace(replace(s.title, '-', ' '), ',', ''), '.', ''), '  ', ' ')), '', '[]'
  FROM subjects s JOIN tenants t ON t.no = s.tenant_no WHERE s.subject_type = 'job' ORDER BY s.tenant_no, s.id;
CREATE POLICY moving_jobs ON document_numbers USING (true);
INSERT INTO document_numbers (tenant_no, letter, last) SELECT tenant_no, 'J', count(*) FROM jobs GROUP BY tenant_no;
DROP POLICY moving_jobs ON document_numbers;
DELETE FROM subjects WHERE subject_type = 'job';
DROP POLICY moving_jobs ON subjects;
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON jobs
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
ALTER TABLE job_assignees ENABLE ROW LEVEL SECURITY;
ALTER TABLE job_assignees FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON job_assignees
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
