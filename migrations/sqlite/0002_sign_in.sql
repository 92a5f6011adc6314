-- How people sign in, and what they connect. All of it stands above tenants: a session, a code or a
-- token is looked up by its hash before anybody knows the tenant, and a person may work in several.
-- No secret is kept: of each only its SHA-256, of passwords an Argon2id hash.

CREATE TABLE passwords (
  user_id BLOB PRIMARY KEY REFERENCES users (id),
  hash TEXT NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The second factor (RFC 6238). Its secret must be known to check a code, so it is kept as it is.
CREATE TABLE second_factors (
  user_id BLOB PRIMARY KEY REFERENCES users (id),
  secret BLOB NOT NULL,
  confirmed_at INTEGER,
  -- The last time step that a code was taken for: no code is taken twice.
  last_step INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
  hash BLOB PRIMARY KEY,
  user_id BLOB NOT NULL REFERENCES users (id),
  used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_codes_of_user ON recovery_codes (user_id);

-- Who a person is to a provider of identities.
CREATE TABLE identities (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id BLOB NOT NULL REFERENCES users (id),
  linked_at INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_of_user ON identities (user_id);

CREATE TABLE sessions (
  hash BLOB PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  user_id BLOB NOT NULL REFERENCES users (id),
  -- How the person proved who they are: password, second_factor, invitation or company.
  method TEXT NOT NULL,
  address TEXT NOT NULL,
  browser TEXT NOT NULL,
  last_used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user_id, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- A right password that a second factor has yet to follow.
CREATE TABLE pending_sign_ins (
  hash BLOB PRIMARY KEY,
  user_id BLOB NOT NULL REFERENCES users (id),
  failures INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_sign_ins_of_user ON pending_sign_ins (user_id);
CREATE INDEX pending_sign_ins_by_end ON pending_sign_ins (expires_at);

-- What was tried, by whom or from where, in windows of fixed length.
CREATE TABLE attempts (
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (action, subject, window_start)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_age ON attempts (window_start);

CREATE TABLE invitations (
  hash BLOB PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('owner', 'office', 'tech')),
  invited_by BLOB REFERENCES users (id),
  expires_at INTEGER NOT NULL,
  accepted_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_of_tenant ON invitations (tenant_no, id);
CREATE INDEX invitations_by_end ON invitations (expires_at);

-- Programs that people connect: registered by themselves (RFC 7591), or known by the document that
-- their id is the address of.
CREATE TABLE oauth_clients (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('registered', 'document')),
  name TEXT NOT NULL,
  -- A JSON array.
  redirect_uris TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- When the document is to be fetched again.
  stale_at INTEGER,
  last_used_at INTEGER NOT NULL,
  -- When somebody first connected it.
  connected_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_clients_by_use ON oauth_clients (kind, last_used_at);
-- Programs that registered themselves and that nobody has connected: only so many are kept.
CREATE INDEX oauth_clients_unconnected ON oauth_clients (last_used_at)
  WHERE kind = 'registered' AND connected_at IS NULL;

-- What a signed-in person is being asked to consent to.
CREATE TABLE oauth_requests (
  hash BLOB PRIMARY KEY,
  session_id BLOB NOT NULL,
  client_id TEXT NOT NULL REFERENCES oauth_clients (id),
  redirect_uri TEXT NOT NULL,
  state TEXT,
  challenge TEXT NOT NULL,
  scopes TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_requests_by_end ON oauth_requests (expires_at);
CREATE INDEX oauth_requests_of_client ON oauth_requests (client_id);
CREATE INDEX oauth_requests_of_session ON oauth_requests (session_id, expires_at);

-- What a person allowed a program to do in one tenant.
CREATE TABLE oauth_grants (
  id BLOB PRIMARY KEY,
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  user_id BLOB NOT NULL REFERENCES users (id),
  client_id TEXT NOT NULL REFERENCES oauth_clients (id),
  scopes TEXT NOT NULL,
  -- Scopes that were asked for and unticked: the program is not to ask again by itself.
  declined TEXT NOT NULL,
  -- When the program fetched its first tokens.
  connected_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_grants_of_tenant ON oauth_grants (tenant_no, id);
CREATE INDEX oauth_grants_of_user ON oauth_grants (user_id, id);
CREATE INDEX oauth_grants_of_client ON oauth_grants (client_id);
CREATE INDEX oauth_grants_unconnected ON oauth_grants (id) WHERE connected_at IS NULL;

CREATE TABLE oauth_codes (
  hash BLOB PRIMARY KEY,
  grant_id BLOB NOT NULL REFERENCES oauth_grants (id),
  redirect_uri TEXT NOT NULL,
  challenge TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_codes_by_end ON oauth_codes (expires_at);
CREATE INDEX oauth_codes_of_grant ON oauth_codes (grant_id);

CREATE TABLE oauth_tokens (
  hash BLOB PRIMARY KEY,
  grant_id BLOB NOT NULL REFERENCES oauth_grants (id),
  kind TEXT NOT NULL CHECK (kind IN ('access', 'refresh')),
  scopes TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  -- When a refresh token was first exchanged for the next.
  rotated_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_tokens_of_grant ON oauth_tokens (grant_id);
CREATE INDEX oauth_tokens_by_end ON oauth_tokens (expires_at);

-- From where a change was made, as the server saw it.
ALTER TABLE history ADD COLUMN address TEXT;

-- Where a person works.
CREATE INDEX memberships_of_user ON memberships (user_id, tenant_no);
