-- hash, 3 segments
SELECT count(DISTINCT v) AS n FROM t0;
slice 1, every segment
  SELECT "t0"."v" AS "mere_d0" FROM mere_scan_0 AS "t0" GROUP BY "t0"."v"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_d0 [CAST(HASH(CAST("mere_d0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT COUNT(DISTINCT "mere_groups"."mere_d0") AS "mere_p0" FROM mere_motion_1 AS "mere_groups"
  => mere_motion_2: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_2 AS "mere_groups";

SELECT count(DISTINCT k) AS n, sum(DISTINCT k) AS s FROM t0;
slice 1, every segment
  SELECT COUNT(DISTINCT "t0"."k") AS "mere_p0", SUM(DISTINCT "t0"."k") AS "mere_p1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n", CAST(SUM("mere_groups"."mere_p1") AS BIGINT) AS "s" FROM mere_motion_1 AS "mere_groups";

SELECT count(DISTINCT v) AS n, count(DISTINCT w) AS m, sum(w) AS s FROM t0;
slice 1, every segment
  SELECT "mere_rows"."mere_d0" AS "mere_d0", "mere_rows"."mere_d1" AS "mere_d1", GROUPING("mere_rows"."mere_d0", "mere_rows"."mere_d1") AS "mere_kind", SUM("mere_rows"."mere_a0") AS "mere_p0" FROM (SELECT "t0"."v" AS "mere_d0", "t0"."w" AS "mere_d1", "t0"."w" AS "mere_a0" FROM mere_scan_0 AS "t0") AS "mere_rows" GROUP BY GROUPING SETS ((), ("mere_rows"."mere_d0"), ("mere_rows"."mere_d1"))
  => mere_motion_1: Redistribute Motion, Hash Key: mere_kind, mere_d0, mere_d1 [CAST(HASH("mere_kind", CAST("mere_d0" AS BIGINT), CAST("mere_d1" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT COUNT(DISTINCT "mere_groups"."mere_d0") FILTER(WHERE "mere_groups"."mere_kind" = 1) AS "mere_p0", COUNT(DISTINCT "mere_groups"."mere_d1") FILTER(WHERE "mere_groups"."mere_kind" = 2) AS "mere_p1", SUM("mere_groups"."mere_p0") FILTER(WHERE "mere_groups"."mere_kind" = 3) AS "mere_p2" FROM mere_motion_1 AS "mere_groups"
  => mere_motion_2: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n", CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT) AS "m", CAST(SUM("mere_groups"."mere_p2") AS BIGINT) AS "s" FROM mere_motion_2 AS "mere_groups";

SELECT v, count(DISTINCT w) AS n FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", COUNT(DISTINCT "mere_rows"."mere_a1") AS "n" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

SELECT v, count(DISTINCT w) AS n, sum(w) AS s, count(*) AS c FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", COUNT(DISTINCT "mere_rows"."mere_a1") AS "n", CAST(SUM("mere_rows"."mere_a1") AS BIGINT) AS "s", COUNT(*) AS "c" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n", "s" AS "s", "c" AS "c" FROM mere_motion_2;

SELECT k, count(DISTINCT w) AS n FROM t0 GROUP BY k;
slice 1, every segment
  SELECT "t0"."k" AS "k", COUNT(DISTINCT "t0"."w") AS "n" FROM mere_scan_0 AS "t0" GROUP BY "t0"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "n" AS "n" FROM mere_motion_1;

SELECT v, count(DISTINCT w) FILTER (WHERE s = 'a') AS n FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1", "t0"."s" = 'a' AS "mere_a2" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", COUNT(DISTINCT "mere_rows"."mere_a1") FILTER(WHERE "mere_rows"."mere_a2") AS "n" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

SELECT avg(DISTINCT w) AS a, string_agg(DISTINCT s, ',' ORDER BY s) AS l FROM t0;
slice 1, every segment
  SELECT "mere_rows"."mere_d0" AS "mere_d0", "mere_rows"."mere_d1" AS "mere_d1", GROUPING("mere_rows"."mere_d0", "mere_rows"."mere_d1") AS "mere_kind" FROM (SELECT "t0"."w" AS "mere_d0", "t0"."s" AS "mere_d1", 1 AS "mere_nothing" FROM mere_scan_0 AS "t0") AS "mere_rows" GROUP BY GROUPING SETS ((), ("mere_rows"."mere_d0"), ("mere_rows"."mere_d1"))
  => mere_motion_1: Redistribute Motion, Hash Key: mere_kind, mere_d0, mere_d1 [CAST(HASH("mere_kind", CAST("mere_d0" AS BIGINT), "mere_d1") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_d0" AS "mere_a0", "mere_groups"."mere_kind" = 1 AS "mere_a1", "mere_groups"."mere_d1" AS "mere_a2", "mere_groups"."mere_kind" = 2 AS "mere_a3" FROM mere_motion_1 AS "mere_groups"
  => mere_motion_2: Gather Motion
coordinator
  SELECT MERE_AVG(CAST(SUM(DISTINCT "mere_rows"."mere_a0") FILTER(WHERE "mere_rows"."mere_a1") AS DECIMAL(38,0)), COUNT(DISTINCT "mere_rows"."mere_a0") FILTER(WHERE "mere_rows"."mere_a1")) AS "a", STRING_AGG(DISTINCT "mere_rows"."mere_a2", ',' ORDER BY "mere_rows"."mere_a2" ASC NULLS LAST) FILTER(WHERE "mere_rows"."mere_a3") AS "l" FROM mere_motion_2 AS "mere_rows";

-- A row without field names can be in no motion.
SELECT count(DISTINCT (v, w)) AS n FROM t0;
whole: a row without names for its fields
slice 1, one segment
  SELECT COUNT(DISTINCT ROW("t0"."v", "t0"."w")) AS "n" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "n" AS "n" FROM mere_motion_1;
