import { functions } from './functions.js'

/*
 * Each operation is one function, hence one statement and one transaction. An advisory lock makes the operations of one
 * user run one after the other, even while there is no row to lock yet. Rows are locked too: under an isolation level
 * stricter than READ COMMITTED, a stale snapshot must be an error (SQLSTATE 40001), never an outcome. There, operations
 * of different users can fail like that too if both sweep.
 * The clock is clock_timestamp() of the server, read after the lock was granted, in milliseconds.
 *
 * The schema can run beside traffic because it locks no existing table. CREATE INDEX IF NOT EXISTS would: it locks the
 * table even if the index exists, and deadlocks with the operations.
 *
 * The names of all functions end in a version. A change of parameters, replies or meaning gives all of them the next one.
 * So the schema leaves functions of earlier versions alone, and processes that still call them go on working.
 */
export const schema = `
SELECT pg_advisory_xact_lock(hashtextextended('express-email-otp', 0));

CREATE TABLE IF NOT EXISTS otp_challenges (
  user_key text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  digest text COLLATE "C" NOT NULL,
  attempts_left integer NOT NULL,
  taken integer NOT NULL,
  expires bigint NOT NULL,
  PRIMARY KEY (user_key, id)
);

CREATE TABLE IF NOT EXISTS otp_buckets (
  user_key text COLLATE "C" NOT NULL,
  bucket text COLLATE "C" NOT NULL,
  full_at bigint NOT NULL,
  was_empty boolean NOT NULL,
  PRIMARY KEY (user_key, bucket)
);

DO $$ BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_indexes WHERE schemaname = current_schema() AND indexname = 'otp_challenges_expires'
  ) THEN
    CREATE INDEX otp_challenges_expires ON otp_challenges (expires);
  END IF;
  IF NOT EXISTS (
    SELECT FROM pg_indexes WHERE schemaname = current_schema() AND indexname = 'otp_buckets_full_at'
  ) THEN
    CREATE INDEX otp_buckets_full_at ON otp_buckets (full_at);
  END IF;
END $$;

-- Makes other operations of the user wait until this one has ended. Returns the time, read after the wait.
CREATE OR REPLACE FUNCTION otp_lock_user_v2(in_user text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(in_user, 1));
  RETURN floor(extract(epoch FROM clock_timestamp()) * 1000);
END $$;

-- A bucket: the time at which it will be full, and whether it was empty. A full bucket reads like a missing one.
CREATE OR REPLACE FUNCTION otp_read_bucket_v2(
  in_user text, in_bucket text, in_now bigint, OUT full_at bigint, OUT was_empty boolean
) LANGUAGE plpgsql AS $$
BEGIN
  SELECT b.full_at, b.was_empty INTO full_at, was_empty
    FROM otp_buckets b WHERE b.user_key = in_user AND b.bucket = in_bucket FOR UPDATE;
  IF NOT FOUND OR full_at <= in_now THEN full_at := 0; was_empty := false; END IF;
END $$;

CREATE OR REPLACE FUNCTION otp_write_bucket_v2(
  in_user text, in_bucket text, in_full bigint, in_was_empty boolean
) RETURNS void LANGUAGE sql AS $$
  INSERT INTO otp_buckets VALUES (in_user, in_bucket, in_full, in_was_empty)
  ON CONFLICT (user_key, bucket) DO UPDATE SET full_at = excluded.full_at, was_empty = excluded.was_empty
$$;

-- GCRA: milliseconds until there is a permit; 0 or less if there is one.
CREATE OR REPLACE FUNCTION otp_ms_until_permit_v2(
  in_full bigint, in_now bigint, in_capacity integer, in_refill bigint
) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT greatest(in_full, in_now) + in_refill - (in_now + in_capacity * in_refill)
$$;

-- Whole seconds, rounded up, so that a retry after them succeeds.
CREATE OR REPLACE FUNCTION otp_seconds_v2(in_ms bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT (greatest(in_ms, 0) + 999) / 1000 $$;

-- Short codes are disabled while the bucket is empty, and after it was empty until half of its capacity is back.
CREATE OR REPLACE FUNCTION otp_short_codes_disabled_v2(
  in_full bigint, in_was_empty boolean, in_now bigint, in_capacity integer, in_refill bigint
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT otp_ms_until_permit_v2(in_full, in_now, in_capacity, in_refill) > 0
    OR (in_was_empty AND in_full - in_now > in_capacity / 2 * in_refill)
$$;

CREATE OR REPLACE FUNCTION otp_refund_v2(
  in_user text, in_bucket text, in_permits integer, in_now bigint, in_refill bigint
) RETURNS void LANGUAGE sql AS $$
  UPDATE otp_buckets SET full_at = greatest(in_now, full_at - in_permits * in_refill)
  WHERE user_key = in_user AND bucket = in_bucket
$$;

-- Runs in 1 % of calls, since a sweep is slow while a long transaction is open (a backup, a report): the index scan
-- still visits the deleted rows. Skips rows that another operation has locked.
CREATE OR REPLACE FUNCTION otp_sweep_v2(in_now bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF random() > 0.01 THEN RETURN; END IF;
  DELETE FROM otp_challenges WHERE (user_key, id) IN (
    SELECT user_key, id FROM otp_challenges WHERE expires <= in_now ORDER BY expires LIMIT 2000 FOR UPDATE SKIP LOCKED
  );
  DELETE FROM otp_buckets WHERE (user_key, bucket) IN (
    SELECT user_key, bucket FROM otp_buckets WHERE full_at <= in_now ORDER BY full_at LIMIT 2000 FOR UPDATE SKIP LOCKED
  );
END $$;
${functions}`
