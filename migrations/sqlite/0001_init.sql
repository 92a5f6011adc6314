-- Tables above tenants: they are read before the tenant is known.

CREATE TABLE tenants (
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  country TEXT NOT NULL,
  last_customer_number INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE users (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE api_keys (
  hash BLOB PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  user_id BLOB REFERENCES users (id),
  actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user', 'tenant')),
  scopes TEXT NOT NULL,
  name TEXT NOT NULL,
  hint TEXT NOT NULL,
  request_limit INTEGER,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER,
  CHECK ((actor_kind = 'user') = (user_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_of_tenant ON api_keys (tenant_no, id);

-- Requests that each process admitted, a row a credential and second, told to the other processes;
-- a minute later nobody counts them any more.
CREATE TABLE request_counts (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  process_id BLOB NOT NULL,
  credential_id BLOB NOT NULL,
  tenant_no INTEGER NOT NULL,
  admitted_at INTEGER NOT NULL,
  requests INTEGER NOT NULL
) STRICT;
CREATE INDEX request_counts_by_age ON request_counts (admitted_at);

-- Tables of tenants: every key starts with the tenant.

CREATE TABLE memberships (
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  user_id BLOB NOT NULL REFERENCES users (id),
  role TEXT NOT NULL CHECK (role IN ('owner', 'office', 'tech')),
  updated_at INTEGER NOT NULL,
  removed_at INTEGER,
  PRIMARY KEY (tenant_no, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE customers (
  n INTEGER PRIMARY KEY,
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  customer_number INTEGER NOT NULL,
  customer_type TEXT NOT NULL CHECK (customer_type IN ('individual', 'company')),
  first_name TEXT,
  last_name TEXT,
  company_name TEXT,
  status TEXT NOT NULL CHECK (status IN ('active', 'inactive')),
  phone TEXT,
  phone_raw TEXT,
  email TEXT,
  notes_internal TEXT,
  is_vip INTEGER NOT NULL,
  do_not_contact INTEGER NOT NULL,
  do_not_contact_reason TEXT,
  source TEXT,
  updated_at INTEGER NOT NULL,
  archived_at INTEGER,
  UNIQUE (tenant_no, id),
  UNIQUE (tenant_no, customer_number)
) STRICT;

-- A customer's contacts and locations lie together, so that one range holds what a customer's
-- record shows.
CREATE TABLE contacts (
  tenant_no INTEGER NOT NULL,
  customer_id BLOB NOT NULL,
  id BLOB NOT NULL,
  first_name TEXT NOT NULL,
  last_name TEXT,
  phone TEXT,
  phone_raw TEXT,
  email TEXT,
  is_primary INTEGER NOT NULL,
  phone_can_sms INTEGER NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('billing', 'service', 'decision_maker', 'general')),
  title TEXT,
  origin TEXT NOT NULL CHECK (origin IN ('own', 'customer', 'placeholder')),
  updated_at INTEGER NOT NULL,
  archived_at INTEGER,
  PRIMARY KEY (tenant_no, customer_id, id),
  UNIQUE (tenant_no, id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id),
  CHECK (archived_at IS NULL OR is_primary = 0)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX contacts_one_primary ON contacts (tenant_no, customer_id) WHERE is_primary;

CREATE TABLE locations (
  tenant_no INTEGER NOT NULL,
  customer_id BLOB NOT NULL,
  id BLOB NOT NULL,
  location_type TEXT NOT NULL CHECK (location_type IN ('service', 'billing', 'mailing', 'other')),
  label TEXT,
  address_line1 TEXT NOT NULL,
  address_line2 TEXT,
  city TEXT NOT NULL,
  state TEXT NOT NULL,
  postal_code TEXT NOT NULL,
  country TEXT NOT NULL,
  is_primary INTEGER NOT NULL,
  access_notes TEXT,
  parking_notes TEXT,
  service_notes TEXT,
  latitude REAL,
  longitude REAL,
  place_id TEXT,
  updated_at INTEGER NOT NULL,
  archived_at INTEGER,
  PRIMARY KEY (tenant_no, customer_id, id),
  UNIQUE (tenant_no, id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id),
  CHECK (archived_at IS NULL OR is_primary = 0),
  CHECK ((latitude IS NULL) = (longitude IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX locations_one_primary ON locations (tenant_no, customer_id, location_type)
  WHERE is_primary;

-- A tag's number stands in the search index, so it is never used again.
CREATE TABLE tags (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  color TEXT NOT NULL,
  created_by BLOB,
  updated_at INTEGER NOT NULL,
  UNIQUE (tenant_no, id),
  UNIQUE (tenant_no, name_key)
) STRICT;

CREATE TABLE customer_tags (
  tenant_no INTEGER NOT NULL,
  customer_id BLOB NOT NULL,
  tag_id BLOB NOT NULL,
  PRIMARY KEY (tenant_no, customer_id, tag_id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id),
  FOREIGN KEY (tenant_no, tag_id) REFERENCES tags (tenant_no, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX customer_tags_of_tag ON customer_tags (tenant_no, tag_id, customer_id);

-- Jobs, invoices, quotes and lawn estimates, so far only as records that a note hangs on.
CREATE TABLE subjects (
  tenant_no INTEGER NOT NULL,
  id BLOB NOT NULL,
  subject_type TEXT NOT NULL CHECK (subject_type IN ('job', 'invoice', 'quote', 'lawn_estimate')),
  customer_id BLOB NOT NULL,
  title TEXT NOT NULL,
  status TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, id),
  FOREIGN KEY (tenant_no, customer_id) REFERENCES customers (tenant_no, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX subjects_of_customer ON subjects (tenant_no, customer_id, id);

CREATE TABLE notes (
  n INTEGER PRIMARY KEY,
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  pinned INTEGER NOT NULL,
  draft INTEGER NOT NULL,
  created_by BLOB NOT NULL,
  subject_type TEXT CHECK (subject_type IN
    ('customer', 'customer_contact', 'customer_location', 'job', 'invoice', 'quote', 'lawn_estimate')),
  subject_id BLOB,
  updated_at INTEGER NOT NULL,
  archived_at INTEGER,
  -- Last, so that the other columns are read without walking a long text.
  body TEXT NOT NULL,
  UNIQUE (tenant_no, id),
  CHECK ((subject_type IS NULL) = (subject_id IS NULL)),
  CHECK (draft OR body <> '')
) STRICT;
CREATE INDEX notes_of_subject ON notes (tenant_no, subject_id, id) WHERE subject_id IS NOT NULL;
CREATE INDEX notes_drafts ON notes (id) WHERE draft;

-- One row a counted note write; the rolling minute of each person is counted here.
CREATE TABLE note_writes (
  tenant_no INTEGER NOT NULL,
  user_id BLOB NOT NULL,
  id BLOB NOT NULL,
  PRIMARY KEY (tenant_no, user_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  tenant_no INTEGER NOT NULL,
  credential_id BLOB NOT NULL,
  idempotency_key TEXT NOT NULL,
  tool TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  answer TEXT NOT NULL,
  answered_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, credential_id, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (answered_at);

CREATE TABLE history (
  n INTEGER PRIMARY KEY,
  tenant_no INTEGER NOT NULL REFERENCES tenants (no),
  id BLOB NOT NULL,
  actor_kind TEXT NOT NULL,
  user_id BLOB,
  credential_id BLOB NOT NULL,
  client TEXT,
  tool TEXT NOT NULL,
  changes TEXT NOT NULL,
  UNIQUE (tenant_no, id)
) STRICT;

CREATE TABLE history_records (
  tenant_no INTEGER NOT NULL,
  record_id BLOB NOT NULL,
  entry_id BLOB NOT NULL,
  PRIMARY KEY (tenant_no, record_id, entry_id)
) STRICT, WITHOUT ROWID;

-- Search: tokens that begin with the tenant in four characters and a mark, so that one prefix index
-- serves every tenant: of one to three letters for customers, whose words are indexed with all their
-- tails, of one to eight for notes, whose words are common ones. `ascii` keeps every byte above ASCII
-- whole.
CREATE VIRTUAL TABLE customer_search USING fts5 (
  tokens, content = '', contentless_delete = 1, detail = none, prefix = '6 7 8',
  tokenize = "ascii tokenchars ':;#%=~'"
);
CREATE VIRTUAL TABLE note_search USING fts5 (
  tokens, content = '', contentless_delete = 1, detail = none, prefix = '6 7 8 9 10 11 12 13',
  tokenize = "ascii tokenchars ':;#%=~'"
);
