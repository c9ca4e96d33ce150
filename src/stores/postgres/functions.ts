/*
 * The three acts; see postgres-schema.ts for what they share, and reply.ts for what they answer. An act that waits for a
 * lock gives up after as long as a request waits for the act by default, so that its connection is free again.
 */
const FUNCTION_OPTIONS = "LANGUAGE plpgsql SET lock_timeout = '2s'"

export const functions = `
CREATE OR REPLACE FUNCTION otp_open(
  in_user text,
  in_repeat text, in_repeat_short text, in_repeat_long text,
  in_begin text, in_begin_short text, in_begin_long text,
  in_lifetime bigint, in_attempts integer,
  in_sends integer, in_sends_refill bigint,
  in_resends integer, in_resend_refill bigint,
  in_failures integer, in_failures_refill bigint
) RETURNS bigint[] ${FUNCTION_OPTIONS} AS $$
DECLARE
  now_ms bigint := otp_enter(in_user);
  known otp_challenges;
  repeated boolean;
  resend text;
  resend_full bigint;
  sends_full bigint;
  again bigint;
  sent bigint;
  failures record;
  empty boolean;
  long boolean;
BEGIN
  SELECT * INTO known FROM otp_challenges c WHERE c.user_key = in_user AND c.id = in_repeat FOR UPDATE;
  repeated := coalesce(known.expires > now_ms AND known.attempts_left > 0, false);
  resend := 'resend:' || CASE WHEN repeated THEN in_repeat ELSE in_begin END;

  SELECT b.full_at INTO resend_full FROM otp_look(in_user, resend, now_ms) b;
  SELECT b.full_at INTO sends_full FROM otp_look(in_user, 'sends', now_ms) b;
  again := otp_seconds(otp_wait(resend_full, now_ms, in_resends, in_resend_refill));
  sent := otp_seconds(otp_wait(sends_full, now_ms, in_sends, in_sends_refill));
  IF sent > again THEN RETURN ARRAY[2, sent]; END IF;
  IF again > 0 THEN RETURN ARRAY[1, again]; END IF;
  PERFORM otp_keep(in_user, resend, greatest(resend_full, now_ms) + in_resend_refill, false);
  PERFORM otp_keep(in_user, 'sends', greatest(sends_full, now_ms) + in_sends_refill, false);

  SELECT * INTO failures FROM otp_look(in_user, 'failures', now_ms);
  empty := otp_wait(failures.full_at, now_ms, in_failures, in_failures_refill) > 0;
  IF empty THEN PERFORM otp_keep(in_user, 'failures', failures.full_at, true); END IF;
  long := otp_is_void(failures.full_at, failures.was_empty, now_ms, in_failures, in_failures_refill)
    OR (repeated AND known.kind = 'long');

  IF repeated THEN
    UPDATE otp_challenges SET
      kind = CASE WHEN long THEN 'long' ELSE 'short' END,
      digest = CASE WHEN long THEN in_repeat_long ELSE in_repeat_short END
    WHERE user_key = in_user AND id = in_repeat;
  ELSE
    known.attempts_left := in_attempts;
    known.expires := now_ms + in_lifetime;
    INSERT INTO otp_challenges VALUES (
      in_user, in_begin, CASE WHEN long THEN 'long' ELSE 'short' END,
      CASE WHEN long THEN in_begin_long ELSE in_begin_short END, in_attempts, 0, known.expires
    ) ON CONFLICT (user_key, id) DO UPDATE SET
      kind = excluded.kind, digest = excluded.digest,
      attempts_left = excluded.attempts_left, taken = excluded.taken, expires = excluded.expires;
  END IF;
  PERFORM otp_sweep(now_ms);
  RETURN ARRAY[0, repeated::integer, long::integer, known.attempts_left, otp_seconds(known.expires - now_ms)];
END $$;

CREATE OR REPLACE FUNCTION otp_redeem(
  in_user text, in_id text, in_kind text, in_digest text, in_capacity integer, in_refill bigint
) RETURNS bigint[] ${FUNCTION_OPTIONS} AS $$
DECLARE
  now_ms bigint := otp_enter(in_user);
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
    SELECT * INTO failures FROM otp_look(in_user, 'failures', now_ms);
    IF otp_is_void(failures.full_at, failures.was_empty, now_ms, in_capacity, in_refill) THEN
      PERFORM otp_keep(in_user, 'failures', failures.full_at, true);
      RETURN ARRAY[4];
    END IF;
  END IF;

  -- Written before it is compared: a server that cannot write must not tell right codes from wrong ones.
  UPDATE otp_challenges SET attempts_left = attempts_left - 1, taken = taken + short::integer
    WHERE user_key = in_user AND id = in_id;
  IF short THEN
    full_at := greatest(failures.full_at, now_ms) + in_refill;
    escalated := otp_wait(full_at, now_ms, in_capacity, in_refill) > 0;
    PERFORM otp_keep(in_user, 'failures', full_at, escalated);
  END IF;
  IF in_digest IS DISTINCT FROM challenge.digest THEN
    RETURN ARRAY[1, challenge.attempts_left - 1, escalated::integer];
  END IF;
  DELETE FROM otp_challenges c WHERE c.user_key = in_user AND c.id = in_id;
  IF short THEN
    full_at := greatest(now_ms, failures.full_at - challenge.taken * in_refill);
    PERFORM otp_keep(in_user, 'failures', full_at, failures.was_empty);
  ELSIF challenge.taken > 0 THEN
    PERFORM otp_give_back(in_user, 'failures', challenge.taken, now_ms, in_refill);
  END IF;
  RETURN ARRAY[0];
END $$;

CREATE OR REPLACE FUNCTION otp_spend(
  in_user text, in_bucket text, in_permits integer, in_capacity integer, in_refill bigint
) RETURNS bigint[] ${FUNCTION_OPTIONS} AS $$
DECLARE
  now_ms bigint := otp_enter(in_user);
  bucket record;
  wait bigint;
BEGIN
  IF in_permits = -1 THEN
    PERFORM otp_give_back(in_user, in_bucket, 1, now_ms, in_refill);
    RETURN ARRAY[0];
  END IF;
  SELECT * INTO bucket FROM otp_look(in_user, in_bucket, now_ms);
  wait := otp_wait(bucket.full_at, now_ms, in_capacity, in_refill);
  IF wait > 0 THEN RETURN ARRAY[1, otp_seconds(wait)]; END IF;
  PERFORM otp_keep(in_user, in_bucket, greatest(bucket.full_at, now_ms) + in_refill, bucket.was_empty);
  PERFORM otp_sweep(now_ms);
  RETURN ARRAY[0];
END $$;
`
