-- Of an answer that is not small only a part is remembered, and the hash of all of it; empty where the
-- answer is kept whole.
ALTER TABLE idempotency ADD COLUMN whole_hash bytea;

-- Expired access tokens are removed by the minute, among refresh tokens that are kept for half a year.
CREATE INDEX oauth_tokens_access_by_end ON oauth_tokens (expires_at) WHERE kind = 'access';

-- The bytes that each tenant stores, by class: an estimate that every write adds to. It is measured from
-- time to time, and the first time soon after this table was made.
CREATE TABLE tenant_storage (
  tenant_no integer PRIMARY KEY REFERENCES tenants (no),
  records bigint NOT NULL,
  notes bigint NOT NULL,
  drafts bigint NOT NULL,
  history bigint NOT NULL,
  answers bigint NOT NULL,
  counted_at timestamptz
);

-- The bytes of drafts that each person saved in a second; the rolling minute is counted here.
CREATE TABLE draft_bytes (
  tenant_no integer NOT NULL,
  user_id uuid NOT NULL,
  second timestamptz NOT NULL,
  bytes bigint NOT NULL,
  PRIMARY KEY (tenant_no, user_id, second)
);
ALTER TABLE draft_bytes ENABLE ROW LEVEL SECURITY;
ALTER TABLE draft_bytes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON draft_bytes
  USING (tenant_no = NULLIF(current_setting('app.tenant', true), '')::integer);
