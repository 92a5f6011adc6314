-- A sweep sees and removes what is out of date, and nothing else: drafts, and answers that no longer
-- count. Reading is part of removing, because a condition reads what it compares. The hour of slack is
-- for a clock that is not the server's.

DROP POLICY sweep ON notes;
CREATE POLICY sweep_reads ON notes FOR SELECT
  USING (draft AND current_setting('app.sweep', true) = 'on');
CREATE POLICY sweep_removes ON notes FOR DELETE
  USING (draft AND current_setting('app.sweep', true) = 'on');

DROP POLICY sweep ON idempotency;
CREATE POLICY sweep_reads ON idempotency FOR SELECT
  USING (current_setting('app.sweep', true) = 'on'
    AND answered_at NOT BETWEEN now() - interval '23 hours' AND now() + interval '23 hours');
CREATE POLICY sweep_removes ON idempotency FOR DELETE
  USING (current_setting('app.sweep', true) = 'on'
    AND answered_at NOT BETWEEN now() - interval '23 hours' AND now() + interval '23 hours');

-- Whether notes were made by a clock that was set back meanwhile: the order of their numbers is then not
-- the order of their ids.
ALTER TABLE tenants ADD COLUMN notes_out_of_order boolean NOT NULL DEFAULT false;
