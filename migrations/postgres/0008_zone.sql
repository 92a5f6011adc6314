-- The time zone and the currency of a business; empty until they are set.
ALTER TABLE tenants ADD COLUMN time_zone text;
ALTER TABLE tenants ADD COLUMN currency text;
