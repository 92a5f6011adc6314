-- The last number of each kind of document in each account, such as Q of Q-0042.
CREATE TABLE document_numbers (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  letter text NOT NULL,
  last bigint NOT NULL,
  PRIMARY KEY (tenant_no, letter)
);

-- Lines are one value: they have no identity, and are read and replaced with their quote.
CREATE TABLE quotes (
  tenant_no integer NOT NULL,
  id uuid NOT NULL,
  quote_number bigint NOT NULL,
  title text NOT NULL,
  status text NOT NULL CHECK (status IN ('draft', 'sent', 'accepted', 'declined')),
  customer_id uuid NOT NULL,
  total bigint NOT NULL,
  currency text NOT NULL,
  sent_at timestamptz,
  decided_at timestamptz,
  created_by uuid,
  updated_by uuid,
  updated_at timestamptz NOT NULL,
  archived_at timestamptz,
  -- The rate of lines that have none of their own, as the quote keeps it.
  tax_rate_id uuid,
  tax_rate_name text,
  tax_rate_percentage bigint,
  line_items text NOT NULL,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id)
);
CREATE UNIQUE INDEX quotes_number ON quotes (tenant_no, quote_number);
CREATE INDEX quotes_of_customer ON quotes (tenant_no, customer_id, id);
CREATE INDEX quotes_active ON quotes (tenant_no, id) WHERE archived_at IS NULL;
CREATE INDEX quotes_archived ON quotes (tenant_no, id) WHERE archived_at IS NOT NULL;
CREATE INDEX quotes_of_status ON quotes (tenant_no, status, id);

-- Quotes were only subjects of notes before. They keep their ids, and so their notes. The policy lets the migration see
-- the rows of all accounts.
CREATE POLICY moving_quotes ON subjects USING (true);
INSERT INTO quotes (tenant_no, id, quote_number, title, status, customer_id, total, currency, updated_at, line_items)
  SELECT s.tenant_no, s.id, row_number() OVER (PARTITION BY s.tenant_no ORDER BY s.id), s.title, 'draft',
    s.customer_id, 0, coalesce(t.currency, 'USD'), s.updated_at, '[]'
  FROM subjects s JOIN tenants t ON t.no = s.tenant_no WHERE s.subject_type = 'quote';
INSERT INTO document_numbers (tenant_no, letter, last)
  SELECT tenant_no, 'Q', count(*) FROM quotes GROUP BY tenant_no;
DELETE FROM subjects WHERE subject_type = 'quote';
DROP POLICY moving_quotes ON subjects;

ALTER TABLE document_numbers ENABLE ROW LEVEL SECURITY;
ALTER TABLE document_numbers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON document_numbers
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
ALTER TABLE quotes ENABLE ROW LEVEL SECURITY;
ALTER TABLE quotes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON quotes
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
