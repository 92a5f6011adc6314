-- The upkeep of the search indexes merges their segments as soon as two have the same level.
INSERT INTO customer_search (customer_search, rank) VALUES ('usermerge', 2);
INSERT INTO note_search (note_search, rank) VALUES ('usermerge', 2);
