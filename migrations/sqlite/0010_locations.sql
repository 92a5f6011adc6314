-- Locations have long texts. A table without rowids keeps whole rows in its tree of keys, so that each search for a key
-- read them; and SQLite reads all columns before the one that it needs, so short columns come first.
CREATE TABLE new_locations (
  tenant_no INTEGER NOT NULL,
  customer_id BLOB NOT NULL,
  id BLOB NOT NULL,
  location_type TEXT NOT NULL CHECK (location_type IN ('service', 'billing', 'mailing', 'other')),
  is_primary INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  archived_at INTEGER,
  latitude REAL,
  longitude REAL,
  label TEXT,
  address_line1 TEXT NOT NULL,
  address_line2 TEXT,
  city TEXT NOT NULL,
  state TEXT NOT NULL,
  postal_code TEXT NOT NULL,
  country TEXT NOT NULL,
  place_id TEXT,
  access_notes TEXT,
  parking_notes TEXT,
  service_notes TEXT,
  PRIMARY KEY (tenant_no, customer_id, id),
  UNIQUE (tenant_no, id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id),
  CHECK (archived_at IS NULL OR is_primary = 0),
  CHECK ((latitude IS NULL) = (longitude IS NULL))
) STRICT;
INSERT INTO new_locations (tenant_no, customer_id, id, location_type, is_primary, updated_at, archived_at, latitude,
    longitude, label, address_line1, address_line2, city, state, postal_code, country, place_id, access_notes,
    parking_notes, service_notes)
  SELECT tenant_no, customer_id, id, location_type, is_primary, updated_at, archived_at, latitude,
    longitude, label, address_line1, address_line2, city, state, postal_code, country, place_id, access_notes,
    parking_notes, service_notes
  FROM locations ORDER BY tenant_no, customer_id, id;
DROP TABLE locations;
ALTER TABLE new_locations RENAME TO locations;
CREATE UNIQUE INDEX locations_one_primary ON locations (tenant_no, customer_id, location_type)
  WHERE is_primary;

-- Every change of a location reads the customer's active ones. Archived ones may be many: this index skips them.
CREATE INDEX locations_active ON locations (tenant_no, customer_id, archived_at, id);
