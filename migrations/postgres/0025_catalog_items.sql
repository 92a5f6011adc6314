-- Prices are in 1/10,000 of the currency's main unit, percentages in ten-thousandths of a percent. `components` is JSON: the
-- parts of a bundle. A SKU is unique among active items without case.
CREATE TABLE catalog_items (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  id uuid NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  sku text,
  description text,
  category_id uuid,
  unit_label text,
  price bigint,
  discount_percent bigint,
  taxable boolean,
  components text NOT NULL,
  currency text NOT NULL,
  cost bigint,
  updated_at timestamptz NOT NULL,
  archived_at timestamptz,
  name_folded text COLLATE "C" NOT NULL,
  sku_folded text,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, category_id) REFERENCES catalog_categories (tenant_no, id)
);
CREATE UNIQUE INDEX catalog_items_sku ON catalog_items (tenant_no, sku_folded) WHERE archived_at IS NULL;
CREATE INDEX catalog_items_names ON catalog_items (tenant_no, (archived_at IS NOT NULL), name_folded, id);
CREATE INDEX catalog_items_kinds ON catalog_items (tenant_no, kind, (archived_at IS NOT NULL), name_folded, id);
CREATE INDEX catalog_items_categories
  ON catalog_items (tenant_no, category_id, (archived_at IS NOT NULL), name_folded, id);
ALTER TABLE catalog_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE catalog_items FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON catalog_items
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
