-- Who has shown that an e-mail address is theirs, what waits until they do, and the way back in.

-- When the person showed that the mailbox is theirs.
ALTER TABLE users ADD COLUMN proved_at INTEGER;

-- What a business calls the person; empty in rows from before, which use the person's name.
ALTER TABLE memberships ADD COLUMN name TEXT;

-- When the link went out by mail and was shown to no one else.
ALTER TABLE invitations ADD COLUMN mailed_at INTEGER;

-- When the grant ends in any case; empty in rows from before.
ALTER TABLE oauth_grants ADD COLUMN ends_at INTEGER;

-- Memberships that give no rights until the person shows that the mailbox is theirs.
CREATE TABLE waiting_memberships (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  user_id BLOB NOT NULL REFERENCES users (id),
  role TEXT NOT NULL CHECK (role IN ('owner', 'office', 'tech')),
  name TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX waiting_memberships_of_user ON waiting_memberships (user_id, tenant_no);

-- Links by which a person chooses a new password.
CREATE TABLE password_links (
  hash BLOB PRIMARY KEY,
  user_id BLOB NOT NULL REFERENCES users (id),
  -- Who has seen the link: only the mailbox, or the owner or operator who made it.
  origin TEXT NOT NULL CHECK (origin IN ('mail', 'owner', 'operator')),
  made_by BLOB REFERENCES users (id),
  -- Whether the second factor is turned off as well.
  ends_factor INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX password_links_of_user ON password_links (user_id);
CREATE INDEX password_links_of_maker ON password_links (made_by);
CREATE INDEX password_links_by_end ON password_links (expires_at);

-- What the successors of an exchanged refresh token are derived from, for as long as the token is
-- taken again.
CREATE TABLE oauth_successors (
  hash BLOB PRIMARY KEY,
  salt BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_successors_by_end ON oauth_successors (expires_at);

-- Browsers that a person has signed in with.
CREATE TABLE devices (
  hash BLOB PRIMARY KEY,
  user_id BLOB NOT NULL REFERENCES users (id),
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_of_user ON devices (user_id, expires_at);
CREATE INDEX devices_by_end ON devices (expires_at);
