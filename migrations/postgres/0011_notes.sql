-- How far the notes of each tenant have been indexed again, because a newer version indexes more of them. A tenant
-- without a row has not begun.
CREATE TABLE note_reindexing (
  tenant_no integer PRIMARY KEY REFERENCES tenants (no),
  form bigint NOT NULL,
  pass bigint NOT NULL,
  last_id uuid NOT NULL,
  began_at timestamptz NOT NULL
);
