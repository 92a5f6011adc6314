-- Links by which a person confirms a new e-mail address of their own.
CREATE TABLE email_links (
  hash BLOB PRIMARY KEY,
  user_id BLOB NOT NULL REFERENCES users (id),
  email TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX email_links_of_user ON email_links (user_id);
CREATE INDEX email_links_by_end ON email_links (expires_at);
