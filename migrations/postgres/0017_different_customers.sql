-- Pairs of customers that somebody said are different, so that they are not shown as possible duplicates again. Each
-- pair has two rows, one for each of the two.
CREATE TABLE different_customers (
  tenant_no integer NOT NULL,
  customer_id uuid NOT NULL,
  other_id uuid NOT NULL,
  PRIMARY KEY (tenant_no, customer_id, other_id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id),
  FOREIGN KEY (tenant_no, other_id) REFERENCES customers (tenant_no, id)
);
-- For the check of the second foreign key.
CREATE INDEX different_customers_of_other ON different_customers (tenant_no, other_id, customer_id);
ALTER TABLE different_customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE different_customers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON different_customers
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
