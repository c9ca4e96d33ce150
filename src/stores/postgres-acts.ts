/*
 * The three acts; see postgres-schema.ts for what they share, and reply.ts for what they answer.
 */
export const acts = `
CREATE OR REPLACE FUNCTION otp_open(
  in_user text,
  in_repeat text, in_repeat_short text, in_repeat_long text,
  in_begin text, in_begin_short text, in_begin_long text,
  in_lifetime bigint, in_attempts integer,
  in_sends integer, in_sends_refill bigint,
  in_resends integer, in_resend_refill bigint,
  in_failures integer, in_failures_refill bigint
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
  now_ms bigint := otp_enter(in_user);
  known otp_challenges;
  repeated boolean;
  resend text;
  resend_full bigint;
  sends_full bigint;
  failures record;
  wait bigint;
  void bigint;
  long boolean;
BEGIN
  SELECT * INTO known FROM otp_challenges c WHERE c.user_key = in_user AND c.id = in_repeat FOR UPDATE;
  repeated := coalesce(known.expires > now_ms AND known.attempts_left > 0, false);
  resend := 'resend:' || CASE WHEN repeated THEN in_repeat ELSE in_begin END;

  SELECT b.full_at INTO resend_full FROM otp_look(in_user, resend) b;
  wait := otp_wait(resend_full, now_ms, in_resends, in_resend_refill);
  IF wait > 0 THEN RETURN ARRAY[1, ceil(wait / 1000.0)]; END IF;
  SELECT b.full_at INTO sends_full FROM otp_look(in_user, 'sends') b;
  wait := otp_wait(sends_full, now_ms, in_sends, in_sends_refill);
  IF wait > 0 THEN RETURN ARRAY[2, ceil(wait / 1000.0)]; END IF;
  PERFORM otp_keep(in_user, resend, greatest(resend_full, now_ms) + in_resend_refill, 0);
  PERFORM otp_keep(in_user, 'sends', greatest(sends_full, now_ms) + in_sends_refill, 0);

  SELECT * INTO failures FROM otp_look(in_user, 'failures');
  void := otp_void_until(failures.full_at, failures.long_until, now_ms, in_failures, in_failures_refill);
  IF void > 0 THEN PERFORM otp_keep(in_user, 'failures', failures.full_at, void); END IF;
  long := void > 0 OR (repeated AND known.kind = 'long');

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
  RETURN ARRAY[0, repeated::integer, long::integer, known.attempts_left, ceil((known.expires - now_ms) / 1000.0)];
END $$;

CREATE OR REPLACE FUNCTION otp_redeem(
  in_user text, in_id text, in_kind text, in_digest text, in_capacity integer, in_refill bigint
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
  now_ms bigint := otp_enter(in_user);
  challenge otp_challenges;
  failures record;
  void bigint;
BEGIN
  SELECT * INTO challenge FROM otp_challenges c WHERE c.user_key = in_user AND c.id = in_id FOR UPDATE;
  IF NOT FOUND OR challenge.expires <= now_ms THEN RETURN ARRAY[3]; END IF;
  IF challenge.attempts_left < 1 THEN RETURN ARRAY[2]; END IF;
  IF in_kind <> challenge.kind THEN RETURN ARRAY[4]; END IF;

  IF in_kind = 'short' THEN
    SELECT * INTO failures FROM otp_look(in_user, 'failures');
    void := otp_void_until(failures.full_at, failures.long_until, now_ms, in_capacity, in_refill);
    IF void = 0 THEN
      failures.full_at := greatest(failures.full_at, now_ms) + in_refill;
      challenge.taken := challenge.taken + 1;
    END IF;
    PERFORM otp_keep(in_user, 'failures', failures.full_at, void);
    IF void > 0 THEN RETURN ARRAY[4]; END IF;
  END IF;

  IF in_digest = challenge.digest THEN
    DELETE FROM otp_challenges c WHERE c.user_key = in_user AND c.id = in_id;
    IF challenge.taken > 0 THEN
      PERFORM otp_give_back(in_user, 'failures', challenge.taken, now_ms, in_capacity, in_refill);
    END IF;
    RETURN ARRAY[0];
  END IF;
  UPDATE otp_challenges SET attempts_left = attempts_left - 1, taken = challenge.taken
    WHERE user_key = in_user AND id = in_id;
  void := 0;
  IF in_kind = 'short' THEN
    void := otp_void_until(failures.full_at, 0, now_ms, in_capacity, in_refill);
    IF void > 0 THEN PERFORM otp_keep(in_user, 'failures', failures.full_at, void); END IF;
  END IF;
  RETURN ARRAY[1, challenge.attempts_left - 1, (void > 0)::integer];
END $$;

CREATE OR REPLACE FUNCTION otp_spend(
  in_user text, in_bucket text, in_permits integer, in_capacity integer, in_refill bigint
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
  now_ms bigint := otp_enter(in_user);
  bucket record;
  wait bigint;
BEGIN
  IF in_permits = -1 THEN
    PERFORM otp_give_back(in_user, in_bucket, 1, now_ms, in_capacity, in_refill);
    RETURN ARRAY[0];
  END IF;
  SELECT * INTO bucket FROM otp_look(in_user, in_bucket);
  wait := otp_wait(bucket.full_at, now_ms, in_capacity, in_refill);
  IF wait > 0 THEN RETURN ARRAY[1, ceil(wait / 1000.0)]; END IF;
  PERFORM otp_keep(in_user, in_bucket, greatest(bucket.full_at, now_ms) + in_refill, bucket.long_until);
  PERFORM otp_sweep(now_ms);
  RETURN ARRAY[0];
END $$;
`
