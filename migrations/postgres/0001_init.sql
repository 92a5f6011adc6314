-- The product's schema for PostgreSQL is not written yet; until it is, a database is refused rather than
-- left half-made.
DO $$ BEGIN RAISE EXCEPTION 'the schema for PostgreSQL is not part of this version'; END $$;
