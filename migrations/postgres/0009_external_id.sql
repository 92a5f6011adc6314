-- The customer's id in another system, from which it was imported. Archived customers keep theirs.
ALTER TABLE customers ADD COLUMN external_id text;
-- At first no row has one, so the index is empty and costs one scan without sorting.
CREATE UNIQUE INDEX customers_external_id ON customers (tenant_no, external_id)
  WHERE external_id IS NOT NULL;
