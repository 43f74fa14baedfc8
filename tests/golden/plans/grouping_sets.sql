-- hash, 3 segments
SELECT v, w, count(*) AS n, grouping(v) AS g FROM t0 GROUP BY ROLLUP (v, w);
slice 1, every segment
  SELECT "mere_rows"."mere_k0" AS "mere_k0", "mere_rows"."mere_k1" AS "mere_k1", GROUPING("mere_rows"."mere_k0", "mere_rows"."mere_k1") AS "mere_set", COUNT(*) AS "mere_p0" FROM (SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_k1", 1 AS "mere_nothing" FROM mere_scan_0 AS "t0") AS "mere_rows" GROUP BY GROUPING SETS (("mere_rows"."mere_k0", "mere_rows"."mere_k1"), ("mere_rows"."mere_k0"), ())
  => mere_motion_1: Redistribute Motion, Hash Key: mere_set, mere_k0, mere_k1 [CAST(HASH("mere_set", CAST("mere_k0" AS BIGINT), CAST("mere_k1" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_k0" AS "v", "mere_groups"."mere_k1" AS "w", CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n", CAST(((("mere_groups"."mere_set" // 2) % 2) * 1) AS INTEGER) AS "g" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_set", "mere_groups"."mere_k0", "mere_groups"."mere_k1"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w", "n" AS "n", "g" AS "g" FROM mere_motion_2;

SELECT k, s, sum(w) AS n FROM t0 GROUP BY CUBE (k, s);
slice 1, every segment
  SELECT "mere_rows"."mere_k0" AS "mere_k0", "mere_rows"."mere_k1" AS "mere_k1", GROUPING("mere_rows"."mere_k0", "mere_rows"."mere_k1") AS "mere_set", SUM("mere_rows"."mere_a0") AS "mere_p0" FROM (SELECT "t0"."k" AS "mere_k0", "t0"."s" AS "mere_k1", "t0"."w" AS "mere_a0" FROM mere_scan_0 AS "t0") AS "mere_rows" GROUP BY GROUPING SETS (("mere_rows"."mere_k0", "mere_rows"."mere_k1"), ("mere_rows"."mere_k1"), ("mere_rows"."mere_k0"), ())
  => mere_motion_1: Redistribute Motion, Hash Key: mere_set, mere_k0, mere_k1 [CAST(HASH("mere_set", CAST("mere_k0" AS BIGINT), "mere_k1") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_k0" AS "k", "mere_groups"."mere_k1" AS "s", CAST(SUM("mere_groups"."mere_p0") AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_set", "mere_groups"."mere_k0", "mere_groups"."mere_k1"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "s" AS "s", "n" AS "n" FROM mere_motion_2;

SELECT v, s, avg(w) AS a, grouping(v, s) AS g FROM t0 GROUP BY GROUPING SETS ((v), (s), ());
slice 1, every segment
  SELECT "mere_rows"."mere_k0" AS "mere_k0", "mere_rows"."mere_k1" AS "mere_k1", GROUPING("mere_rows"."mere_k0", "mere_rows"."mere_k1") AS "mere_set", SUM("mere_rows"."mere_a0") AS "mere_p0", COUNT("mere_rows"."mere_a0") AS "mere_p1" FROM (SELECT "t0"."v" AS "mere_k0", "t0"."s" AS "mere_k1", "t0"."w" AS "mere_a0" FROM mere_scan_0 AS "t0") AS "mere_rows" GROUP BY GROUPING SETS (("mere_rows"."mere_k0"), ("mere_rows"."mere_k1"), ())
  => mere_motion_1: Redistribute Motion, Hash Key: mere_set, mere_k0, mere_k1 [CAST(HASH("mere_set", CAST("mere_k0" AS BIGINT), "mere_k1") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_k0" AS "v", "mere_groups"."mere_k1" AS "s", MERE_AVG(CAST(SUM("mere_groups"."mere_p0") AS DECIMAL(38,0)), CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT)) AS "a", CAST(((("mere_groups"."mere_set" // 1) % 2) * 1 + (("mere_groups"."mere_set" // 2) % 2) * 2) AS INTEGER) AS "g" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_set", "mere_groups"."mere_k0", "mere_groups"."mere_k1"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "s" AS "s", "a" AS "a", "g" AS "g" FROM mere_motion_2;

SELECT v, sum(w) AS s FROM empty CROSS JOIN (SELECT 1 AS w) one GROUP BY ROLLUP (v);
slice 1, one segment
  SELECT "empty"."v" AS "v", CAST(SUM("one"."w") AS BIGINT) AS "s" FROM mere_scan_0 AS "empty" CROSS JOIN (SELECT 1 AS "w") AS "one" GROUP BY ROLLUP ("empty"."v")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "s" AS "s" FROM mere_motion_1;

SELECT v, count(DISTINCT w) AS n FROM t0 GROUP BY ROLLUP (v);
slice 1, every segment
  SELECT "mere_rows"."mere_k0" AS "mere_k0", "mere_rows"."mere_d0" AS "mere_d0", GROUPING("mere_rows"."mere_k0") AS "mere_set", GROUPING("mere_rows"."mere_d0") AS "mere_kind" FROM (SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_d0", 1 AS "mere_nothing" FROM mere_scan_0 AS "t0") AS "mere_rows" GROUP BY GROUPING SETS (("mere_rows"."mere_k0"), ("mere_rows"."mere_k0", "mere_rows"."mere_d0"), (), ("mere_rows"."mere_d0"))
  => mere_motion_1: Redistribute Motion, Hash Key: mere_set, mere_k0 [CAST(HASH("mere_set", CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_k0" AS "v", COUNT(DISTINCT "mere_groups"."mere_d0") FILTER(WHERE "mere_groups"."mere_kind" = 0) AS "n" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_set", "mere_groups"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

SELECT v, w, sum(k) AS s, rank() OVER (PARTITION BY grouping(v) ORDER BY sum(k)) AS r FROM t0 GROUP BY ROLLUP (v, w);
slice 1, every segment
  SELECT "mere_rows"."mere_k0" AS "mere_k0", "mere_rows"."mere_k1" AS "mere_k1", GROUPING("mere_rows"."mere_k0", "mere_rows"."mere_k1") AS "mere_set", SUM("mere_rows"."mere_a0") AS "mere_p0" FROM (SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_k1", "t0"."k" AS "mere_a0" FROM mere_scan_0 AS "t0") AS "mere_rows" GROUP BY GROUPING SETS (("mere_rows"."mere_k0", "mere_rows"."mere_k1"), ("mere_rows"."mere_k0"), ())
  => mere_motion_1: Redistribute Motion, Hash Key: mere_set, mere_k0, mere_k1 [CAST(HASH("mere_set", CAST("mere_k0" AS BIGINT), CAST("mere_k1" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT CAST(((("mere_groups"."mere_set" // 2) % 2) * 1) AS INTEGER) AS "mere_k0", "mere_groups"."mere_k0" AS "mere_c1", "mere_groups"."mere_k1" AS "mere_c2", SUM("mere_groups"."mere_p0") AS "mere_c3" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_set", "mere_groups"."mere_k0", "mere_groups"."mere_k1"
  => mere_motion_2: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "mere_windows"."mere_c1" AS "v", "mere_windows"."mere_c2" AS "w", CAST("mere_windows"."mere_c3" AS BIGINT) AS "s", RANK() OVER (PARTITION BY "mere_windows"."mere_k0" ORDER BY CAST("mere_windows"."mere_c3" AS BIGINT) ASC NULLS LAST) AS "r" FROM mere_motion_2 AS "mere_windows"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w", "s" AS "s", "r" AS "r" FROM mere_motion_3;

SELECT v, count(*) AS n FROM t0 GROUP BY GROUPING SETS ((v), (v)) HAVING count(*) > 2;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", COUNT(*) AS "n" FROM mere_motion_1 AS "mere_rows" GROUP BY GROUPING SETS (("mere_rows"."mere_k0"), ("mere_rows"."mere_k0")) HAVING COUNT(*) > 2
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;
