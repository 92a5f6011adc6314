-- When what identifies the customer was erased. Only its number is left, and what was counted with it.
ALTER TABLE customers ADD COLUMN erased_at INTEGER;
-- At first no customer is erased, so the index is empty and costs one scan without sorting.
CREATE INDEX customers_erased ON customers (tenant_no, id) WHERE erased_at IS NOT NULL;
