-- Of an answer that is not small only a part is remembered, and the hash of all of it; empty where the
-- answer is kept whole.
ALTER TABLE idempotency ADD COLUMN whole_hash BLOB;

-- Expired access tokens are removed by the minute, among refresh tokens that are kept for half a year.
CREATE INDEX oauth_tokens_access_by_end ON oauth_tokens (expires_at) WHERE kind = 'access';

-- The bytes that each tenant stores, by class: an estimate that every write adds to. It is measured from
-- time to time, and the first time soon after this table was made.
CREATE TABLE tenant_storage (
  tenant_no INTEGER PRIMARY KEY REFERENCES tenants (no),
  records INTEGER NOT NULL,
  notes INTEGER NOT NULL,
  drafts INTEGER NOT NULL,
  history INTEGER NOT NULL,
  answers INTEGER NOT NULL,
  counted_at INTEGER
) STRICT;

-- The bytes of drafts that each person saved in a second; the rolling minute is counted here.
CREATE TABLE draft_bytes (
  tenant_no INTEGER NOT NULL,
  user_id BLOB NOT NULL,
  second INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, user_id, second)
) STRICT, WITHOUT ROWID;
