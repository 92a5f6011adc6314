-- Links by which a person confirms a new e-mail address of their own.
CREATE TABLE email_links (
  hash bytea PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  email text NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX email_links_of_user ON email_links (user_id);
CREATE INDEX email_links_by_end ON email_links (expires_at);
