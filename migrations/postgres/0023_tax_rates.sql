-- Percentages are ten-thousandths of a percent: 8.25 % is 82500.
CREATE TABLE tax_rates (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  id uuid NOT NULL,
  name text NOT NULL,
  rate_percentage bigint NOT NULL,
  is_default boolean NOT NULL,
  updated_at timestamptz NOT NULL,
  archived_at timestamptz,
  PRIMARY KEY (tenant_no, id),
  CHECK (archived_at IS NULL OR NOT is_default)
);
CREATE UNIQUE INDEX tax_rates_default ON tax_rates (tenant_no) WHERE is_default;
CREATE INDEX tax_rates_active ON tax_rates (tenant_no, id) WHERE archived_at IS NULL;
ALTER TABLE tax_rates ENABLE ROW LEVEL SECURITY;
ALTER TABLE tax_rates FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tax_rates
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
