-- The customer that this one was merged into. A merged customer is archived, and in no list and no search.
ALTER TABLE customers ADD COLUMN merged_into BLOB;
-- The customers that were merged into this one: their numbers and ids, such as 12:0190b6c5-....
ALTER TABLE customers ADD COLUMN merged_from TEXT;
-- At first no row was merged, so the index is empty and costs one scan without sorting.
CREATE INDEX customers_merged ON customers (tenant_no, merged_into) WHERE merged_into IS NOT NULL;
