-- A name is unique among siblings without case: `name_folded` is the folded name.
CREATE TABLE catalog_categories (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  id uuid NOT NULL,
  name text NOT NULL,
  name_folded text NOT NULL,
  parent_id uuid,
  sort_order bigint NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, parent_id) REFERENCES catalog_categories (tenant_no, id)
);
CREATE UNIQUE INDEX catalog_categories_siblings
  ON catalog_categories (tenant_no, COALESCE(parent_id, '00000000-0000-0000-0000-000000000000'), name_folded);
CREATE INDEX catalog_categories_parent ON catalog_categories (tenant_no, parent_id);
ALTER TABLE catalog_categories ENABLE ROW LEVEL SECURITY;
ALTER TABLE catalog_categories FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON catalog_categories
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
