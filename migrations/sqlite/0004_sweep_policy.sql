-- Whether notes were made by a clock that was set back meanwhile: the order of their numbers is then not
-- the order of their ids.
ALTER TABLE tenants ADD COLUMN notes_out_of_order INTEGER NOT NULL DEFAULT 0;
