-- hash, 3 segments
SELECT k FROM t0 UNION SELECT k FROM t1;
slice 1, every segment
  WITH mere_collected AS MATERIALIZED (SELECT DISTINCT "mere_member"."k" AS "k" FROM ((SELECT DISTINCT "mere_member"."k" AS "k" FROM (SELECT "t0"."k" AS "k" FROM mere_scan_0 AS "t0") AS "mere_member") UNION ALL (SELECT DISTINCT "mere_member"."k" AS "k" FROM (SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1") AS "mere_member")) AS "mere_member") SELECT * FROM mere_collected
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_1;

SELECT v, w FROM t0 UNION SELECT w, v FROM t1;
slice 1, every segment
  WITH mere_collected AS MATERIALIZED ((SELECT DISTINCT "mere_member"."v" AS "v", "mere_member"."w" AS "w" FROM (SELECT "t0"."v" AS "v", "t0"."w" AS "w" FROM mere_scan_0 AS "t0") AS "mere_member") UNION ALL (SELECT DISTINCT "mere_member"."v" AS "v", "mere_member"."w" AS "w" FROM (SELECT "mere_member"."w" AS "v", "mere_member"."v" AS "w" FROM (SELECT "t1"."w" AS "w", "t1"."v" AS "v" FROM mere_scan_1 AS "t1") AS "mere_member") AS "mere_member")) SELECT * FROM mere_collected
  => mere_motion_1: Redistribute Motion, Hash Key: v, w [CAST(HASH(CAST("v" AS BIGINT), CAST("w" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_member"."v" AS "v", "mere_member"."w" AS "w" FROM mere_motion_1 AS "mere_member"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_2;

SELECT v FROM t0 UNION ALL SELECT w FROM t1;
slice 1, every segment
  WITH mere_collected AS MATERIALIZED ((SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0") UNION ALL (SELECT "mere_member"."w" AS "v" FROM (SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1") AS "mere_member")) SELECT * FROM mere_collected
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_1;

SELECT v FROM t0 INTERSECT SELECT w FROM t1;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_member"."w" AS "v" FROM (SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1") AS "mere_member"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  (SELECT "v" AS "v" FROM mere_motion_1) INTERSECT (SELECT "v" AS "v" FROM mere_motion_2)
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

SELECT v FROM t0 INTERSECT ALL SELECT w FROM t1;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_member"."w" AS "v" FROM (SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1") AS "mere_member"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  (SELECT "v" AS "v" FROM mere_motion_1) INTERSECT ALL (SELECT "v" AS "v" FROM mere_motion_2)
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

SELECT v FROM t0 EXCEPT SELECT w FROM t1;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_member"."w" AS "v" FROM (SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1") AS "mere_member"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  (SELECT "v" AS "v" FROM mere_motion_1) EXCEPT (SELECT "v" AS "v" FROM mere_motion_2)
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

SELECT v FROM t0 EXCEPT ALL SELECT w FROM t1;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_member"."w" AS "v" FROM (SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1") AS "mere_member"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  (SELECT "v" AS "v" FROM mere_motion_1) EXCEPT ALL (SELECT "v" AS "v" FROM mere_motion_2)
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

-- Types differ: rows are compared after the cast.
SELECT k FROM t0 UNION SELECT k FROM big;
slice 1, every segment
  WITH mere_collected AS MATERIALIZED ((SELECT DISTINCT "mere_member"."k" AS "k" FROM (SELECT CAST("t0"."k" AS BIGINT) AS "k" FROM mere_scan_0 AS "t0") AS "mere_member") UNION ALL (SELECT DISTINCT "mere_member"."k" AS "k" FROM (SELECT "big"."k" AS "k" FROM mere_scan_1 AS "big") AS "mere_member")) SELECT * FROM mere_collected
  => mere_motion_1: Redistribute Motion, Hash Key: k [CAST(HASH("k") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_member"."k" AS "k" FROM mere_motion_1 AS "mere_member"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_2;

SELECT n FROM other INTERSECT SELECT m FROM other;
slice 1, every segment
  SELECT CAST("other"."n" AS DECIMAL(6,2)) AS "n" FROM mere_scan_0 AS "other"
  => mere_motion_1: Redistribute Motion, Hash Key: n [CAST(HASH("n") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_member"."m" AS "n" FROM (SELECT CAST("other_1"."m" AS DECIMAL(6,2)) AS "m" FROM mere_scan_1 AS "other_1") AS "mere_member"
  => mere_motion_2: Redistribute Motion, Hash Key: n [CAST(HASH("n") % 2147483647 AS BIGINT)]
slice 3, every segment
  (SELECT "n" AS "n" FROM mere_motion_1) INTERSECT (SELECT "n" AS "n" FROM mere_motion_2)
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "n" AS "n" FROM mere_motion_3;

SELECT v FROM t0 EXCEPT SELECT f FROM other;
slice 1, every segment
  SELECT CAST("t0"."v" AS DOUBLE) AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH("v") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_member"."f" AS "v" FROM (SELECT "other"."f" AS "f" FROM mere_scan_1 AS "other") AS "mere_member"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH("v") % 2147483647 AS BIGINT)]
slice 3, every segment
  (SELECT "v" AS "v" FROM mere_motion_1) EXCEPT (SELECT "v" AS "v" FROM mere_motion_2)
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

SELECT d FROM big UNION SELECT d FROM other;
slice 1, every segment
  WITH mere_collected AS MATERIALIZED ((SELECT DISTINCT "mere_member"."d" AS "d" FROM (SELECT CAST("big"."d" AS TIMESTAMP) AS "d" FROM mere_scan_0 AS "big") AS "mere_member") UNION ALL (SELECT DISTINCT "mere_member"."d" AS "d" FROM (SELECT "other"."d" AS "d" FROM mere_scan_1 AS "other") AS "mere_member")) SELECT * FROM mere_collected
  => mere_motion_1: Redistribute Motion, Hash Key: d [CAST(HASH("d") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_member"."d" AS "d" FROM mere_motion_1 AS "mere_member"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "d" AS "d" FROM mere_motion_2;

-- Replicated branches.
SELECT k FROM small UNION SELECT k FROM t0;
slice 1, every segment (all of mere_scan_0)
  WITH mere_collected AS MATERIALIZED ((SELECT "k" AS "k" FROM (SELECT DISTINCT "mere_member"."k" AS "k" FROM (SELECT "small"."k" AS "k" FROM mere_scan_0 AS "small") AS "mere_member") AS mere_all WHERE $mere_share = 0) UNION ALL (SELECT DISTINCT "mere_member"."k" AS "k" FROM (SELECT "t0"."k" AS "k" FROM mere_scan_1 AS "t0") AS "mere_member")) SELECT * FROM mere_collected
  => mere_motion_1: Redistribute Motion, Hash Key: k [CAST(HASH(CAST("k" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_member"."k" AS "k" FROM mere_motion_1 AS "mere_member"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_2;

SELECT k FROM small EXCEPT SELECT k FROM t0;
slice 1, every segment (all of mere_scan_0)
  (SELECT "k" AS "k" FROM (SELECT "small"."k" AS "k" FROM mere_scan_0 AS "small") AS mere_all WHERE (COALESCE((MURMUR3_32(CAST("k" AS BIGINT)) & 2147483647) % 16, 0)) % 3 = $mere_share) EXCEPT (SELECT "t0"."k" AS "k" FROM mere_scan_1 AS "t0")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_1;

SELECT k FROM t0 EXCEPT ALL SELECT k FROM small;
slice 1, every segment (all of mere_scan_1)
  (SELECT "t0"."k" AS "k" FROM mere_scan_0 AS "t0") EXCEPT ALL (SELECT "small"."k" AS "k" FROM mere_scan_1 AS "small")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_1;

SELECT k FROM small INTERSECT ALL SELECT v FROM t0;
slice 1, every segment
  SELECT "mere_member"."v" AS "k" FROM (SELECT "t0"."v" AS "v" FROM mere_scan_1 AS "t0") AS "mere_member"
  => mere_motion_1: Redistribute Motion, Hash Key: k [CAST(HASH(CAST("k" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment (all of mere_scan_0)
  (SELECT "k" AS "k" FROM (SELECT "small"."k" AS "k" FROM mere_scan_0 AS "small") AS mere_all WHERE (CAST(HASH(CAST("k" AS BIGINT)) % 2147483647 AS BIGINT)) % 3 = $mere_share) INTERSECT ALL (SELECT "k" AS "k" FROM mere_motion_1)
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_2;

SELECT k FROM small UNION ALL SELECT k FROM small;
slice 1, one segment
  WITH mere_collected AS MATERIALIZED ((SELECT "small"."k" AS "k" FROM mere_scan_0 AS "small") UNION ALL (SELECT "small_1"."k" AS "k" FROM mere_scan_1 AS "small_1")) SELECT * FROM mere_collected
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_1;

-- Nested, ordered, limited.
(SELECT v FROM t0 UNION SELECT v FROM t1) EXCEPT SELECT w FROM t2 ORDER BY 1;
slice 1, every segment
  WITH mere_collected AS MATERIALIZED ((SELECT DISTINCT "mere_member"."v" AS "v" FROM (SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0") AS "mere_member") UNION ALL (SELECT DISTINCT "mere_member"."v" AS "v" FROM (SELECT "t1"."v" AS "v" FROM mere_scan_1 AS "t1") AS "mere_member")) SELECT * FROM mere_collected
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_member"."w" AS "v" FROM (SELECT "t2"."w" AS "w" FROM mere_scan_2 AS "t2") AS "mere_member"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  (SELECT DISTINCT "mere_member"."v" AS "v" FROM mere_motion_1 AS "mere_member") EXCEPT (SELECT "v" AS "v" FROM mere_motion_2)
  => mere_motion_3: Gather Motion
coordinator
  SELECT "v" AS "v" FROM mere_motion_3 ORDER BY 1 ASC NULLS LAST;

SELECT v FROM t0 UNION ALL SELECT v FROM t1 ORDER BY 1 LIMIT 4;
slice 1, every segment
  SELECT "mere_rows"."v" AS "v" FROM ((SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0") UNION ALL (SELECT "t1"."v" AS "v" FROM mere_scan_1 AS "t1")) AS "mere_rows" ORDER BY "mere_rows"."v" ASC NULLS LAST LIMIT 4
  => mere_motion_1: Gather Motion, Merge Key: "v" ASC NULLS LAST
coordinator
  SELECT "v" AS "v" FROM mere_motion_1 ORDER BY 1 ASC NULLS LAST LIMIT 4;

SELECT u.v, count(*) AS n FROM (SELECT v FROM t0 UNION ALL SELECT v FROM t1) u GROUP BY u.v;
slice 1, every segment
  WITH mere_collected AS MATERIALIZED (SELECT "u"."v" AS "mere_k0" FROM ((SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0") UNION ALL (SELECT "t1"."v" AS "v" FROM mere_scan_1 AS "t1")) AS "u") SELECT * FROM mere_collected
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", COUNT(*) AS "n" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

SELECT u.k, t2.w FROM (SELECT k FROM t0 UNION ALL SELECT k FROM t1) u JOIN t2 ON u.k = t2.k;
slice 1, every segment
  WITH mere_collected AS MATERIALIZED (SELECT "u"."k" AS "k", "t2"."w" AS "w" FROM ((SELECT "t0"."k" AS "k" FROM mere_scan_0 AS "t0") UNION ALL (SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1")) AS "u" CROSS JOIN mere_scan_2 AS "t2" WHERE "u"."k" = "t2"."k") SELECT * FROM mere_collected
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "w" AS "w" FROM mere_motion_1;
