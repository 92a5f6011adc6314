-- Of an answer that is not small only a part is remembered, and the hash of all of it; empty where the
-- answer is kept whole.
ALTER TABLE idempotency ADD COLUMN whole_hash BLOB;

-- Expired access tokens are removed by the minute, among refresh tokens that are kept for half a year.
CREATE INDEX oauth_tokens_access_by_end ON oauth_tokens (expires_at) WHERE kind = 'access';
