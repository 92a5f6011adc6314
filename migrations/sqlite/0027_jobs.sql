-- Jobs. Their numbers are counted per tenant. A job without a start is last in lists: its list_order is the first
-- moment of the year 9999. Prices are ten-thousandths of the currency's main unit, totals are in its minor unit.
CREATE TABLE jobs (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('unscheduled', 'scheduled', 'done', 'cancelled')),
  job_number INTEGER NOT NULL,
  list_order INTEGER NOT NULL,
  customer_id BLOB,
  location_id BLOB,
  scheduled_start INTEGER,
  scheduled_end INTEGER,
  flat_price INTEGER,
  total INTEGER NOT NULL,
  currency TEXT NOT NULL,
  quote_id BLOB,
  done_at INTEGER,
  cancelled_at INTEGER,
  created_by BLOB,
  updated_by BLOB,
  updated_at INTEGER NOT NULL,
  title TEXT NOT NULL,
  title_folded TEXT NOT NULL,
  assignee_ids TEXT NOT NULL,
  cancel_reason TEXT,
  description TEXT,
  line_items TEXT NOT NULL,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id),
  CHECK (scheduled_end IS NULL OR scheduled_end > scheduled_start),
  CHECK (location_id IS NULL OR customer_id IS NOT NULL),
  CHECK ((status = 'done') = (done_at IS NOT NULL) OR status = 'cancelled'),
  CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX jobs_number ON jobs (tenant_no, job_number);
CREATE INDEX jobs_listed ON jobs (tenant_no, list_order, id DESC) WHERE status <> 'cancelled';
CREATE INDEX jobs_by_status ON jobs (tenant_no, status, list_order, id DESC);
CREATE INDEX jobs_of_customer ON jobs (tenant_no, customer_id, list_order, id DESC) WHERE customer_id IS NOT NULL;
-- A quote gives one job; a cancelled one frees it.
CREATE UNIQUE INDEX jobs_of_quote ON jobs (tenant_no, quote_id) WHERE quote_id IS NOT NULL AND status <> 'cancelled';
-- Who works on a job, with the job's place in lists, so that a person's jobs are read in order.
CREATE TABLE job_assignees (
  tenant_no INTEGER NOT NULL,
  job_id BLOB NOT NULL,
  user_id BLOB NOT NULL,
  list_order INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, job_id, user_id),
  FOREIGN KEY (tenant_no, job_id) REFERENCES jobs (tenant_no, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_assignees_of_user ON job_assignees (tenant_no, user_id, list_order, job_id DESC);
-- The jobs that so far existed only as the subjects of notes. Their titles are folded as far as SQL can.
INSERT INTO jobs (tenant_no, id, status, job_number, list_order, customer_id, total, currency, cancelled_at, updated_at,
    title, title_folded, assignee_ids, line_items)
  SELECT s.tenant_no, s.id, CASE WHEN lower(s.status) LIKE 'cancel%' THEN 'cancelled' ELSE 'unscheduled' END,
    row_number() OVER (PARTITION BY s.tenant_no ORDER BY s.id), 253370764800000000, s.customer_id, 0,
    coalesce(t.currency, 'USD'), CASE WHEN lower(s.status) LIKE 'cancel%' THEN s.updated_at END, s.updated_at,
    s.title, lower(replace(replace(replace(replace(s.title, '-', ' '), ',', ''), '.', ''), '  ', ' ')), '', '[]'
  FROM subjects s JOIN tenants t ON t.no = s.tenant_no WHERE s.subject_type = 'job' ORDER BY s.tenant_no, s.id;
INSERT INTO document_numbers (tenant_no, letter, last) SELECT tenant_no, 'J', count(*) FROM jobs GROUP BY tenant_no;
DELETE FROM subjects WHERE subject_type = 'job';
