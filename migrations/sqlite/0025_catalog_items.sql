-- Prices are in 1/10,000 of the currency's main unit, percentages in ten-thousandths of a percent. `components` is JSON: the
-- parts of a bundle. A SKU is unique among active items without case.
CREATE TABLE catalog_items (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  sku TEXT,
  description TEXT,
  category_id BLOB,
  unit_label TEXT,
  price INTEGER,
  discount_percent INTEGER,
  taxable INTEGER,
  components TEXT NOT NULL,
  currency TEXT NOT NULL,
  cost INTEGER,
  updated_at INTEGER NOT NULL,
  archived_at INTEGER,
  name_folded TEXT NOT NULL,
  sku_folded TEXT,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, category_id) REFERENCES catalog_categories (tenant_no, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX catalog_items_sku ON catalog_items (tenant_no, sku_folded) WHERE archived_at IS NULL;
CREATE INDEX catalog_items_names ON catalog_items (tenant_no, (archived_at IS NOT NULL), name_folded, id);
CREATE INDEX catalog_items_kinds ON catalog_items (tenant_no, kind, (archived_at IS NOT NULL), name_folded, id);
CREATE INDEX catalog_items_categories
  ON catalog_items (tenant_no, category_id, (archived_at IS NOT NULL), name_folded, id);
