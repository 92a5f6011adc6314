-- Which database this is: the file store says to which database it belongs. A copy and a restored backup get another id.
CREATE TABLE database_identity (
  no INTEGER PRIMARY KEY CHECK (no = 1),
  id BLOB NOT NULL
) STRICT;
INSERT INTO database_identity (no, id) VALUES (1, randomblob(16));
