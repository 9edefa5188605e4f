/*
title: Plays by place
description: >
  Where the listeners were, as the app reports it (city and state), with plays, different users
  and the share of all plays in percent. Plays without a place are left out, also from the
  whole.
parameters:
  month: {type: month, description: Only plays of this month.}
  limit: {type: integer, default: 20, minimum: 1, description: How many places.}
chart: {kind: bar, x: plays, y: location}
report: 90
*/
WITH heard AS (
  SELECT location, user_id, count(*) AS plays
  FROM songplays
  WHERE location IS NOT NULL
    AND ($month IS NULL OR (year = $month[:4]::INT AND month = $month[6:]::INT))
  GROUP BY ALL
),
places AS (
  SELECT location, sum(plays)::BIGINT AS plays, count(user_id) AS users
  FROM heard
  GROUP BY ALL
)
SELECT location, plays, users, round(100.0 * plays / sum(plays) OVER (), 2) AS share_percent
FROM places
ORDER BY plays DESC, location
LIMIT $limit
