-- Percentages are ten-thousandths of a percent: 8.25 % is 82500.
CREATE TABLE tax_rates (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  name TEXT NOT NULL,
  rate_percentage INTEGER NOT NULL,
  is_default INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  archived_at INTEGER,
  PRIMARY KEY (tenant_no, id),
  CHECK (archived_at IS NULL OR is_default = 0)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX tax_rates_default ON tax_rates (tenant_no) WHERE is_default;
CREATE INDEX tax_rates_active ON tax_rates (tenant_no, id) WHERE archived_at IS NULL;
