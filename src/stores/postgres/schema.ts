import { functions } from './functions.js'

/*
 * Each act is one function, so one statement and one transaction: all of it happens or nothing. The advisory lock puts
 * the acts of one user in a row, before there is any row to lock; what is read after it is what the last one wrote. The
 * rows are locked too, so that under a stricter isolation than READ COMMITTED a stale picture is an error (SQLSTATE
 * 40001) and never an answer; there, acts of different users may fail so as well, when both sweep.
 * Clock: clock_timestamp() of the server, taken behind the lock, in milliseconds.
 * Answers: see reply.ts.
 *
 * Every argument of a function or operator has exactly the type that this is declared with, by a cast where need be:
 * else somebody who may create functions in the same schema could put a better fitting one in its place.
 *
 * Run beside traffic, the schema takes no lock on a table that is there: CREATE INDEX IF NOT EXISTS takes one even if
 * the index exists, which dead-locks with the acts.
 */
export const schema = `
SELECT pg_advisory_xact_lock(hashtextextended('express-email-otp'::text, 0::bigint));

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

CREATE OR REPLACE FUNCTION otp_enter(in_user text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(in_user, 1::bigint));
  RETURN floor(extract(epoch FROM clock_timestamp())::numeric * 1000::numeric);
END $$;

-- A bucket is the moment when it is full again, and whether it has been without a permit. One that is full is as if
-- there were none.
CREATE OR REPLACE FUNCTION otp_look(
  in_user text, in_bucket text, in_now bigint, OUT full_at bigint, OUT was_empty boolean
) LANGUAGE plpgsql AS $$
BEGIN
  SELECT b.full_at, b.was_empty INTO full_at, was_empty
    FROM otp_buckets b WHERE b.user_key = in_user AND b.bucket = in_bucket FOR UPDATE;
  IF NOT FOUND OR full_at <= in_now THEN full_at := 0; was_empty := false; END IF;
END $$;

CREATE OR REPLACE FUNCTION otp_keep(in_user text, in_bucket text, in_full bigint, in_was_empty boolean) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO otp_buckets VALUES (in_user, in_bucket, in_full, in_was_empty)
  ON CONFLICT (user_key, bucket) DO UPDATE SET full_at = excluded.full_at, was_empty = excluded.was_empty
$$;

-- GCRA: milliseconds until a permit is there, 0 or less when there is one.
CREATE OR REPLACE FUNCTION otp_wait(in_full bigint, in_now bigint, in_capacity integer, in_refill bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT greatest(in_full, in_now) + in_refill - (in_now + in_capacity * in_refill)
$$;

-- Whole seconds, rounded up: a Retry-After that is true.
CREATE OR REPLACE FUNCTION otp_seconds(in_ms bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT (greatest(in_ms, 0::bigint) + 999) / 1000 $$;

-- Short codes are void without a permit, and once there was none until half of the capacity is back.
CREATE OR REPLACE FUNCTION otp_is_void(
  in_full bigint, in_was_empty boolean, in_now bigint, in_capacity integer, in_refill bigint
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT otp_wait(in_full, in_now, in_capacity, in_refill) > 0
    OR (in_was_empty AND in_full - in_now > in_capacity / 2 * in_refill)
$$;

CREATE OR REPLACE FUNCTION otp_give_back(
  in_user text, in_bucket text, in_permits integer, in_now bigint, in_refill bigint
) RETURNS void LANGUAGE sql AS $$
  UPDATE otp_buckets SET full_at = greatest(in_now, full_at - in_permits * in_refill)
  WHERE user_key = in_user AND bucket = in_bucket
$$;

-- Now and then, and never waiting for a row that another act is removing. With each act it would be dear: while somebody
-- holds an old snapshot (a backup, a report), what was removed still has to be passed by to find what has expired.
CREATE OR REPLACE FUNCTION otp_sweep(in_now bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF random() > 0.01::double precision THEN RETURN; END IF;
  DELETE FROM otp_challenges WHERE (user_key, id) IN (
    SELECT user_key, id FROM otp_challenges WHERE expires <= in_now ORDER BY expires LIMIT 2000 FOR UPDATE SKIP LOCKED
  );
  DELETE FROM otp_buckets WHERE (user_key, bucket) IN (
    SELECT user_key, bucket FROM otp_buckets WHERE full_at <= in_now ORDER BY full_at LIMIT 2000 FOR UPDATE SKIP LOCKED
  );
END $$;
${functions}`
