-- hash, 3 segments
SELECT v::bigint * 10000000000 AS wide, sum(v) AS huge, sum(k)::numeric(38,0) AS dec FROM big GROUP BY v;
slice 1, every segment
  SELECT "big"."v" AS "mere_k0", SUM("big"."v") AS "mere_p1", SUM("big"."k") AS "mere_p2" FROM mere_scan_0 AS "big" GROUP BY "big"."v"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH("mere_k0") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_k0" * 10000000000 AS "wide", CAST(SUM("mere_groups"."mere_p1") AS DECIMAL(38,0)) AS "huge", CAST(SUM("mere_groups"."mere_p2") AS DECIMAL(38,0)) AS "dec" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "wide" AS "wide", "huge" AS "huge", "dec" AS "dec" FROM mere_motion_2;

SELECT v, max('12:34:56+02'::timetz) AS t, max('00000000-0000-0000-0000-000000000001'::uuid::text) AS u FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", MAX($mere_constant_0) AS "t", MAX(CAST($mere_constant_1 AS VARCHAR)) AS "u" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "t" AS "t", "u" AS "u" FROM mere_motion_2;

SELECT DISTINCT v, '00000000-0000-0000-0000-000000000001'::uuid AS u, interval '1 month 2 days' AS i, 'abc'::bytea AS b, '{"a": 1}'::json::text AS j, array[v, 2] AS a FROM t0;
slice 1, every segment
  SELECT DISTINCT "t0"."v" AS "v", $mere_constant_0 AS "u", CAST('1 months 2 days' AS INTERVAL) AS "i", $mere_constant_1 AS "b", CAST($mere_constant_2 AS VARCHAR) AS "j", [CAST("t0"."v" AS INTEGER), 2] AS "a" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_distinct"."v" AS "v", "mere_distinct"."u" AS "u", "mere_distinct"."i" AS "i", "mere_distinct"."b" AS "b", "mere_distinct"."j" AS "j", "mere_distinct"."a" AS "a" FROM mere_motion_1 AS "mere_distinct"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "u" AS "u", "i" AS "i", "b" AS "b", "j" AS "j", "a" AS "a" FROM mere_motion_2;

SELECT DISTINCT v, true AS t, 1.5::real AS r, timestamptz '2024-01-01 10:00:00+01' AS z, time '10:00' AS h FROM t0;
slice 1, every segment
  SELECT DISTINCT "t0"."v" AS "v", TRUE AS "t", CAST('1.5' AS FLOAT) AS "r", CAST('2024-01-01 09:00:00+00' AS TIMESTAMPTZ) AS "z", $mere_constant_0 AS "h" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_distinct"."v" AS "v", "mere_distinct"."t" AS "t", "mere_distinct"."r" AS "r", "mere_distinct"."z" AS "z", "mere_distinct"."h" AS "h" FROM mere_motion_1 AS "mere_distinct"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "t" AS "t", "r" AS "r", "z" AS "z", "h" AS "h" FROM mere_motion_2;
