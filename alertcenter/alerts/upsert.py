"""Which statement turns events into alerts, episodes, transitions and feed rows?

One statement per batch, one row per dedup key in it. It decides by the source's
own times (design/decisions.md section 3), so that replays and late arrivals end in
the same state, and repeats update in place. It answers with the database's time, how
many alerts changed, and the correlation ids of some that did.
"""

from __future__ import annotations

SHARDS = 64
# So many changed rows of one statement are named to whoever executes it.
MOST_NAMED = 64

# An event acts iff its time is later than the last change; at equality resolved
# wins. What timed out reopens on any firing that is not itself over.
NEWER = "excluded.state_at >= a.state_at"
BOTH_FIRING = "a.state = 'firing' AND excluded.state = 'firing'"
OPENS = """(a.state = 'resolved' AND excluded.state = 'firing' AND (
      excluded.state_at > a.state_at
      OR (a.closed_by = 'timeout'
          AND (excluded.expires_at IS NULL OR excluded.expires_at > now()))))"""
CLOSES = f"(a.state = 'firing' AND excluded.state = 'resolved' AND {NEWER})"
WORSENS = f"({BOTH_FIRING} AND {NEWER} AND a.severity <> excluded.severity)"
# These senders say everything each time: what they say last holds, also when it is
# that the alert is over, and whichever of their words came before.
SAYS_ALL = f"(excluded.source IN ('prometheus', 'alertmanager') AND {NEWER})"
SAYS = f"(excluded.state = 'firing' AND ({NEWER} OR {OPENS}) OR {SAYS_ALL})"
# A later end of what was over already, and was not ended by somebody else.
SETTLES = f"""(a.state = 'resolved' AND excluded.state = 'resolved' AND {NEWER}
      AND a.closed_by = 'source')"""

ACCEPT = f"""
WITH input AS (
  SELECT x.*, f.fires,
    least(coalesce(CASE WHEN f.fires THEN x.starts_at ELSE x.ends_at END, now()),
          now()) AS state_at,
    least(coalesce(x.starts_at, x.ends_at, now()), now()) AS begins_at,
    CASE WHEN f.fires THEN
      coalesce(CASE WHEN x.ends_at > now() THEN x.ends_at END,
               now() + x.ttl * interval '1 second')
    END AS expires_at
  FROM jsonb_to_recordset($1) AS x(
    id uuid, episode uuid, tenant uuid, key text, firing boolean, severity smallint,
    title text, labels jsonb, annotations jsonb, source text, link text,
    starts_at timestamptz, ends_at timestamptz, ttl int, count bigint,
    correlation text)
  CROSS JOIN LATERAL (
    SELECT coalesce(x.firing, x.ends_at IS NULL OR x.ends_at > now()) AS fires) f
), up AS (
  INSERT INTO alert AS a (
    id, tenant_id, dedup_key, fingerprint, state, severity, title, labels, annotations,
    link, source, episode_id, state_at, starts_at, ends_at, expires_at, last_at,
    count, closed_by, version)
  SELECT id, tenant, key, '', CASE WHEN fires THEN 'firing' ELSE 'resolved' END,
    severity, title, labels, annotations, link, source,
    CASE WHEN fires THEN episode END, state_at, begins_at,
    CASE WHEN fires THEN NULL ELSE state_at END, expires_at, now(), count,
    CASE WHEN fires THEN '' ELSE 'source' END, 1
  FROM input ORDER BY tenant, key
  ON CONFLICT (tenant_id, dedup_key) DO UPDATE SET
    state = CASE WHEN {OPENS} THEN 'firing' WHEN {CLOSES} THEN 'resolved'
                 ELSE a.state END,
    severity = CASE WHEN {OPENS} OR {WORSENS} THEN excluded.severity
                    ELSE a.severity END,
    title = CASE WHEN {SAYS} THEN excluded.title ELSE a.title END,
    labels = CASE WHEN {SAYS} THEN excluded.labels ELSE a.labels END,
    annotations = CASE WHEN {SAYS} THEN excluded.annotations ELSE a.annotations END,
    link = CASE WHEN {SAYS} THEN excluded.link ELSE a.link END,
    source = CASE WHEN {OPENS} THEN excluded.source ELSE a.source END,
    episode_id = CASE WHEN {OPENS} THEN excluded.episode_id ELSE a.episode_id END,
    state_at = greatest(a.state_at, excluded.state_at),
    starts_at = CASE WHEN {OPENS} OR ({SAYS_ALL} AND excluded.starts_at < now())
                     THEN excluded.starts_at ELSE a.starts_at END,
    ends_at = CASE WHEN {OPENS} THEN NULL
                   WHEN {CLOSES} OR {SETTLES} THEN excluded.ends_at
                   ELSE a.ends_at END,
    expires_at = CASE WHEN {OPENS} THEN excluded.expires_at WHEN {CLOSES} THEN NULL
                      WHEN {BOTH_FIRING}
                      THEN greatest(a.expires_at, excluded.expires_at)
                      ELSE a.expires_at END,
    last_at = now(),
    count = a.count + excluded.count,
    closed_by = CASE WHEN {OPENS} THEN '' WHEN {CLOSES} THEN 'source'
                     ELSE a.closed_by END,
    version = a.version + CASE WHEN {OPENS} OR {CLOSES} OR {WORSENS} THEN 1 ELSE 0 END
  RETURNING new.id, new.tenant_id, new.dedup_key, new.episode_id, new.starts_at,
    new.ends_at, new.state, new.severity, old.id IS NULL AS is_new,
    old.severity AS severity_before,
    CASE WHEN old.id IS NULL AND new.state = 'firing' THEN 'opened'
         WHEN old.state = 'resolved' AND new.state = 'firing' THEN 'opened'
         WHEN old.state = 'firing' AND new.state = 'resolved' THEN 'resolved'
         WHEN old.version <> new.version THEN 'repeated_severity' END AS change
), changed AS (
  SELECT up.*, input.correlation, input.source FROM up
  JOIN input ON input.tenant = up.tenant_id AND input.key = up.dedup_key
  WHERE up.change IS NOT NULL
), opened AS (
  INSERT INTO episode (id, at, tenant_id, number, alert_id, starts_at, closed_by)
  SELECT episode_id, now(), tenant_id, nextval('episode_number'), id, starts_at, ''
  FROM changed WHERE change = 'opened'
), closed AS (
  UPDATE episode e SET ends_at = c.ends_at, closed_by = 'source'
  FROM changed c WHERE c.change = 'resolved'
    AND e.tenant_id = c.tenant_id AND e.id = c.episode_id
), told AS (
  INSERT INTO transition (
    tenant_id, at, alert_id, kind, from_state, to_state, actor_kind, actor_id,
    actor_label, reason, data, correlation_id)
  SELECT tenant_id, now(), id, change,
    CASE WHEN change = 'opened' THEN CASE WHEN is_new THEN '' ELSE 'resolved' END
         ELSE 'firing' END,
    state, 'source', '', source, 'source',
    jsonb_build_object('episode', episode_id, 'severity', severity)
      || CASE WHEN change = 'repeated_severity'
         THEN jsonb_build_object('severity_before', severity_before)
         ELSE '{{}}' END,
    correlation
  FROM changed ORDER BY tenant_id, dedup_key
  RETURNING id, tenant_id, alert_id, at
), fed AS (
  INSERT INTO feed (tenant_id, transition_id, alert_id, shard, at)
  SELECT tenant_id, id, alert_id, abs(mod(hashtext(alert_id::text), {SHARDS})), at
  FROM told
)
SELECT extract(epoch FROM now()), count(change),
  (SELECT array_agg(DISTINCT correlation) FROM (
     SELECT correlation FROM changed LIMIT {MOST_NAMED}) c)
FROM up
"""

PREPARE = f"PREPARE accept (jsonb) AS {ACCEPT}"
# One message, one implicit transaction: context and statement commit together.
EXECUTE = "SELECT set_config('app.tenants', %s, true); EXECUTE accept(%s)"
