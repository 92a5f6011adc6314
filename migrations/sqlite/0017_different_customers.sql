-- Pairs of customers that somebody said are different, so that they are not shown as possible duplicates again. Each
-- pair has two rows, one for each of the two.
CREATE TABLE different_customers (
  tenant_no INTEGER NOT NULL,
  customer_id BLOB NOT NULL,
  other_id BLOB NOT NULL,
  PRIMARY KEY (tenant_no, customer_id, other_id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id),
  FOREIGN KEY (tenant_no, other_id) REFERENCES customers (tenant_no, id)
) STRICT, WITHOUT ROWID;
-- For the check of the second foreign key.
CREATE INDEX different_customers_of_other ON different_customers (tenant_no, other_id, customer_id);
