import { acts } from './postgres-acts.js'

/*
 * Each act is one function, so one statement and one transaction: all of it happens or nothing. The advisory lock puts
 * the acts of one user in a row, before there is any row to lock; what is read after it is what the last one wrote. The
 * rows are locked too, so that under a stricter isolation than READ COMMITTED a stale picture is an error (SQLSTATE
 * 40001) and never an answer.
 * Clock: clock_timestamp() of the server, taken behind the lock, in milliseconds.
 * Answers: see reply.ts.
 */
export const schema = `
SELECT pg_advisory_xact_lock(hashtextextended('express-email-otp', 0));

CREATE TABLE IF NOT EXISTS otp_challenges (
  user_key text NOT NULL,
  id text NOT NULL,
  kind text NOT NULL,
  digest text NOT NULL,
  attempts_left integer NOT NULL,
  taken integer NOT NULL,
  expires bigint NOT NULL,
  PRIMARY KEY (user_key, id)
);
CREATE INDEX IF NOT EXISTS otp_challenges_expires ON otp_challenges (expires);

CREATE TABLE IF NOT EXISTS otp_buckets (
  user_key text NOT NULL,
  bucket text NOT NULL,
  full_at bigint NOT NULL,
  long_until bigint NOT NULL,
  PRIMARY KEY (user_key, bucket)
);
CREATE INDEX IF NOT EXISTS otp_buckets_full_at ON otp_buckets (full_at);

CREATE OR REPLACE FUNCTION otp_enter(in_user text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(in_user, 1));
  RETURN floor(extract(epoch FROM clock_timestamp()) * 1000);
END $$;

-- A bucket is two moments: when it is full again, and until when short codes are void.
CREATE OR REPLACE FUNCTION otp_look(in_user text, in_bucket text, OUT full_at bigint, OUT long_until bigint)
LANGUAGE plpgsql AS $$
BEGIN
  SELECT b.full_at, b.long_until INTO full_at, long_until
    FROM otp_buckets b WHERE b.user_key = in_user AND b.bucket = in_bucket FOR UPDATE;
  IF NOT FOUND THEN full_at := 0; long_until := 0; END IF;
END $$;

CREATE OR REPLACE FUNCTION otp_keep(in_user text, in_bucket text, in_full bigint, in_long bigint) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO otp_buckets VALUES (in_user, in_bucket, in_full, in_long)
  ON CONFLICT (user_key, bucket) DO UPDATE SET full_at = excluded.full_at, long_until = excluded.long_until
$$;

-- GCRA: milliseconds until a permit is there, 0 or less when there is one.
CREATE OR REPLACE FUNCTION otp_wait(in_full bigint, in_now bigint, in_capacity integer, in_refill bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
  SELECT greatest(in_full, in_now) + in_refill - (in_now + in_capacity * in_refill)
$$;

-- Short codes are void from the moment without a permit until half of the capacity is back.
CREATE OR REPLACE FUNCTION otp_void_until(
  in_full bigint, in_long bigint, in_now bigint, in_capacity integer, in_refill bigint
) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN in_long > in_now THEN in_long
    WHEN otp_wait(in_full, in_now, in_capacity, in_refill) > 0 THEN in_full - in_capacity / 2 * in_refill
    ELSE 0
  END
$$;

CREATE OR REPLACE FUNCTION otp_give_back(
  in_user text, in_bucket text, in_permits integer, in_now bigint, in_capacity integer, in_refill bigint
) RETURNS void LANGUAGE sql AS $$
  UPDATE otp_buckets SET
    full_at = greatest(in_now, full_at - in_permits * in_refill),
    long_until = CASE
      WHEN long_until > in_now THEN greatest(in_now, full_at - in_permits * in_refill) - in_capacity / 2 * in_refill
      ELSE 0
    END
  WHERE user_key = in_user AND bucket = in_bucket
$$;

-- A little with each act, and never waiting for a row that another act is removing.
CREATE OR REPLACE FUNCTION otp_sweep(in_now bigint) RETURNS void LANGUAGE sql AS $$
  DELETE FROM otp_challenges WHERE (user_key, id) IN (
    SELECT user_key, id FROM otp_challenges WHERE expires <= in_now ORDER BY expires LIMIT 20 FOR UPDATE SKIP LOCKED
  );
  DELETE FROM otp_buckets WHERE (user_key, bucket) IN (
    SELECT user_key, bucket FROM otp_buckets WHERE full_at <= in_now ORDER BY full_at LIMIT 20 FOR UPDATE SKIP LOCKED
  );
$$;
${acts}`
