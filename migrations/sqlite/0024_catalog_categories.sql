-- A name is unique among siblings without case: `name_folded` is the folded name.
CREATE TABLE catalog_categories (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  parent_id BLOB,
  sort_order INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, parent_id) REFERENCES catalog_categories (tenant_no, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX catalog_categories_siblings
  ON catalog_categories (tenant_no, COALESCE(parent_id, x''), name_folded);
CREATE INDEX catalog_categories_parent ON catalog_categories (tenant_no, parent_id);
