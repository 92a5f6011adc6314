-- The last number of each kind of document in each account, such as Q of Q-0042.
CREATE TABLE document_numbers (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  letter TEXT NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, letter)
) STRICT, WITHOUT ROWID;

-- Lines are one value: they have no identity, and are read and replaced with their quote.
CREATE TABLE quotes (
  tenant_no INTEGER NOT NULL,
  id BLOB NOT NULL,
  quote_number INTEGER NOT NULL,
  title TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('draft', 'sent', 'accepted', 'declined')),
  customer_id BLOB NOT NULL,
  total INTEGER NOT NULL,
  currency TEXT NOT NULL,
  sent_at INTEGER,
  decided_at INTEGER,
  created_by BLOB,
  updated_by BLOB,
  updated_at INTEGER NOT NULL,
  archived_at INTEGER,
  -- The rate of lines that have none of their own, as the quote keeps it.
  tax_rate_id BLOB,
  tax_rate_name TEXT,
  tax_rate_percentage INTEGER,
  -- Last, so that the other columns are read without walking a long text.
  line_items TEXT NOT NULL,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX quotes_number ON quotes (tenant_no, quote_number);
CREATE INDEX quotes_of_customer ON quotes (tenant_no, customer_id, id);
CREATE INDEX quotes_active ON quotes (tenant_no, id) WHERE archived_at IS NULL;
CREATE INDEX quotes_archived ON quotes (tenant_no, id) WHERE archived_at IS NOT NULL;
CREATE INDEX quotes_of_status ON quotes (tenant_no, status, id);

-- Quotes were only subjects of notes before. They keep their ids, and so their notes.
INSERT INTO quotes (tenant_no, id, quote_number, title, status, customer_id, total, currency, updated_at, line_items)
  SELECT s.tenant_no, s.id, row_number() OVER (PARTITION BY s.tenant_no ORDER BY s.id), s.title, 'draft',
    s.customer_id, 0, coalesce(t.currency, 'USD'), s.updated_at, '[]'
  FROM subjects s JOIN tenants t ON t.no = s.tenant_no WHERE s.subject_type = 'quote';
INSERT INTO document_numbers (tenant_no, letter, last)
  SELECT tenant_no, 'Q', count(*) FROM quotes GROUP BY tenant_no;
DELETE FROM subjects WHERE subject_type = 'quote';
