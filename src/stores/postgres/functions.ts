/*
 * The three operations. schema.ts has the functions that they share, reply-codec.ts the replies. The lock timeout equals
 * the default deadline of a request, so that an operation stuck behind a lock frees its connection.
 */
const FUNCTION_OPTIONS = "LANGUAGE plpgsql SET lock_timeout = '2s'"

export const functions = `
-- in_buckets: resend:, to which the id of the challenge is added; the bucket that counts mails; the extra ones. The outcome
-- is the number of the empty bucket with the longest wait.
CREATE OR REPLACE FUNCTION otp_open_v2(
  in_user text,
  in_existing text, in_existing_short text, in_existing_long text,
  in_fresh text, in_fresh_short text, in_fresh_long text,
  in_lifetime bigint, in_attempts integer,
  in_failures integer, in_failures_refill bigint,
  in_buckets text[], in_capacities integer[], in_refills bigint[], in_only_if_fresh boolean[]
) RETURNS bigint[] ${FUNCTION_OPTIONS} AS $$
DECLARE
  now_ms bigint := otp_lock_user_v2(in_user);
  existing otp_challenges;
  repeated boolean;
  full_at bigint;
  wait bigint;
  longest bigint := 0;
  throttled integer;
  next_full bigint[];
  failures record;
  empty boolean;
  long boolean;
BEGIN
  SELECT * INTO existing FROM otp_challenges c WHERE c.user_key = in_user AND c.id = in_existing FOR UPDATE;
  repeated := coalesce(existing.expires > now_ms AND existing.attempts_left > 0, false);
  in_buckets[1] := in_buckets[1] || CASE WHEN repeated THEN in_existing ELSE in_fresh END;

  FOR i IN 1 .. cardinality(in_buckets) LOOP
    CONTINUE WHEN repeated AND in_only_if_fresh[i];
    SELECT b.full_at INTO full_at FROM otp_read_bucket_v2(in_user, in_buckets[i], now_ms) b;
    wait := otp_seconds_v2(otp_ms_until_permit_v2(full_at, now_ms, in_capacities[i], in_refills[i]));
    IF wait > longest THEN throttled := i; longest := wait; END IF;
    next_full[i] := greatest(full_at, now_ms) + in_refills[i];
  END LOOP;
  IF longest > 0 THEN RETURN ARRAY[throttled, longest]; END IF;
  FOR i IN 1 .. cardinality(in_buckets) LOOP
    CONTINUE WHEN next_full[i] IS NULL;
    PERFORM otp_write_bucket_v2(in_user, in_buckets[i], next_full[i], false);
  END LOOP;

  SELECT * INTO failures FROM otp_read_bucket_v2(in_user, 'failures', now_ms);
  empty := otp_ms_until_permit_v2(failures.full_at, now_ms, in_failures, in_failures_refill) > 0;
  IF empty THEN PERFORM otp_write_bucket_v2(in_user, 'failures', failures.full_at, true); END IF;
  long := otp_short_codes_disabled_v2(failures.full_at, failures.was_empty, now_ms, in_failures, in_failures_refill)
    OR (repeated AND existing.kind = 'long');

  IF repeated THEN
    UPDATE otp_challenges SET
      kind = CASE WHEN long THEN 'long' ELSE 'short' END,
      digest = CASE WHEN long THEN in_existing_long ELSE in_existing_short END
    WHERE user_key = in_user AND id = in_existing;
  ELSE
    existing.attempts_left := in_attempts;
    existing.expires := now_ms + in_lifetime;
    INSERT INTO otp_challenges VALUES (
      in_user, in_fresh, CASE WHEN long THEN 'long' ELSE 'short' END,
      CASE WHEN long THEN in_fresh_long ELSE in_fresh_short END, in_attempts, 0, existing.expires
    ) ON CONFLICT (user_key, id) DO UPDATE SET
      kind = excluded.kind, digest = excluded.digest,
      attempts_left = excluded.attempts_left, taken = excluded.taken, expires = excluded.expires;
  END IF;
  PERFORM otp_sweep_v2(now_ms);
  RETURN ARRAY[0, repeated::integer, long::integer, existing.attempts_left, otp_seconds_v2(existing.expires - now_ms)];
END $$;

CREATE OR REPLACE FUNCTION otp_redeem_v2(
  in_user text, in_id text, in_kind text, in_digest text, in_capacity integer, in_refill bigint
) RETURNS bigint[] ${FUNCTION_OPTIONS} AS $$
DECLARE
  now_ms bigint := otp_lock_user_v2(in_user);
  challenge otp_challenges;
  short boolean := in_kind = 'short';
  failures record;
  full_at bigint;
  escalated boolean := false;
BEGIN
  SELECT * INTO challenge FROM otp_challenges c WHERE c.user_key = in_user AND c.id = in_id FOR UPDATE;
  IF NOT FOUND OR challenge.expires <= now_ms THEN RETURN ARRAY[3]; END IF;
  IF challenge.attempts_left < 1 THEN RETURN ARRAY[2]; END IF;
  IF in_kind IS DISTINCT FROM challenge.kind THEN RETURN ARRAY[4]; END IF;

  IF short THEN
    SELECT * INTO failures FROM otp_read_bucket_v2(in_user, 'failures', now_ms);
    IF otp_short_codes_disabled_v2(failures.full_at, failures.was_empty, now_ms, in_capacity, in_refill) THEN
      PERFORM otp_write_bucket_v2(in_user, 'failures', failures.full_at, true);
      RETURN ARRAY[4];
    END IF;
  END IF;

  -- Written before the comparison: a server that cannot write must not tell right codes from wrong ones.
  UPDATE otp_challenges SET attempts_left = attempts_left - 1, taken = taken + short::integer
    WHERE user_key = in_user AND id = in_id;
  IF short THEN
    full_at := greatest(failures.full_at, now_ms) + in_refill;
    escalated := otp_ms_until_permit_v2(full_at, now_ms, in_capacity, in_refill) > 0;
    PERFORM otp_write_bucket_v2(in_user, 'failures', full_at, escalated);
  END IF;
  IF in_digest IS DISTINCT FROM challenge.digest THEN
    RETURN ARRAY[1, challenge.attempts_left - 1, escalated::integer];
  END IF;
  DELETE FROM otp_challenges c WHERE c.user_key = in_user AND c.id = in_id;
  IF short THEN
    full_at := greatest(now_ms, failures.full_at - challenge.taken * in_refill);
    PERFORM otp_write_bucket_v2(in_user, 'failures', full_at, failures.was_empty);
  ELSIF challenge.taken > 0 THEN
    PERFORM otp_refund_v2(in_user, 'failures', challenge.taken, now_ms, in_refill);
  END IF;
  RETURN ARRAY[0];
END $$;

CREATE OR REPLACE FUNCTION otp_spend_v2(
  in_user text, in_bucket text, in_permits integer, in_capacity integer, in_refill bigint
) RETURNS bigint[] ${FUNCTION_OPTIONS} AS $$
DECLARE
  now_ms bigint := otp_lock_user_v2(in_user);
  bucket record;
  wait bigint;
BEGIN
  IF in_permits = -1 THEN
    PERFORM otp_refund_v2(in_user, in_bucket, 1, now_ms, in_refill);
    RETURN ARRAY[0];
  END IF;
  SELECT * INTO bucket FROM otp_read_bucket_v2(in_user, in_bucket, now_ms);
  wait := otp_ms_until_permit_v2(bucket.full_at, now_ms, in_capacity, in_refill);
  IF wait > 0 THEN RETURN ARRAY[1, otp_seconds_v2(wait)]; END IF;
  PERFORM otp_write_bucket_v2(in_user, in_bucket, greatest(bucket.full_at, now_ms) + in_refill, bucket.was_empty);
  PERFORM otp_sweep_v2(now_ms);
  RETURN ARRAY[0];
END $$;
`
