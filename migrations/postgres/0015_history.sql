-- The history in packed form. Entries of the former form are in `history` until the server has packed them.
CREATE TABLE history_origins (
  tenant_no integer NOT NULL REFERENCES tenants (no),
  number bigint NOT NULL,
  tool text NOT NULL,
  actor_kind text NOT NULL,
  user_id uuid,
  credential_id uuid NOT NULL,
  client text,
  address text,
  PRIMARY KEY (tenant_no, number)
);
CREATE TABLE history_entries (
  tenant_no integer NOT NULL,
  id uuid NOT NULL,
  origin bigint NOT NULL,
  changes bytea NOT NULL,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, origin) REFERENCES history_origins (tenant_no, number)
);
ALTER TABLE history_origins ENABLE ROW LEVEL SECURITY;
ALTER TABLE history_origins FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON history_origins
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
ALTER TABLE history_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE history_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON history_entries
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
