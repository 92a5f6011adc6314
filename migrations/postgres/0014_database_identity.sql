-- Which database this is: the file store says to which database it belongs. A copy and a restored backup get another id.
CREATE TABLE database_identity (
  no integer PRIMARY KEY CHECK (no = 1),
  id uuid NOT NULL
);
INSERT INTO database_identity (no, id) VALUES (1, gen_random_uuid());
