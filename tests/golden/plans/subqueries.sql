-- hash, 3 segments
SELECT t0.v FROM t0 WHERE t0.k IN (SELECT t1.k FROM t1 WHERE t1.w > 3);
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."k" IN (SELECT "mere_part_1"."k" AS "k" FROM (SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1" WHERE "t1"."w" > 3) AS "mere_part_1")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_1;

SELECT t0.v FROM t0 WHERE t0.v IN (SELECT t1.w FROM t1);
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_part_1"."w" AS "w" FROM (SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1") AS "mere_part_1"
  => mere_motion_2: Redistribute Motion, Hash Key: w [CAST(HASH(CAST("w" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t0"."v" AS "v" FROM mere_motion_1 AS "t0" WHERE "t0"."v" IN (SELECT "mere_part_1"."w" AS "w" FROM mere_motion_2 AS "mere_part_1")
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

SELECT t0.v, t0.k IN (SELECT t1.k FROM t1) AS found FROM t0;
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v", "t0"."k" IN (SELECT "mere_part_1"."k" AS "k" FROM mere_motion_1 AS "mere_part_1") AS "found" FROM mere_scan_0 AS "t0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "found" AS "found" FROM mere_motion_2;

SELECT t0.v FROM t0 WHERE t0.k IN (SELECT t1.k FROM t1) OR t0.v = 3;
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE ("t0"."k" IN (SELECT "mere_part_1"."k" AS "k" FROM mere_motion_1 AS "mere_part_1") OR "t0"."v" = 3)
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_2;

SELECT t0.v FROM t0 WHERE (t0.k, t0.v) IN (SELECT t1.k, t1.v FROM t1);
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE ROW("t0"."k", "t0"."v") IN (SELECT "mere_part_1"."k" AS "k", "mere_part_1"."v" AS "v" FROM (SELECT "t1"."k" AS "k", "t1"."v" AS "v" FROM mere_scan_1 AS "t1") AS "mere_part_1")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_1;

SELECT t0.v FROM t0 WHERE t0.k IN (SELECT t1.v FROM t1 GROUP BY t1.v HAVING sum(t1.w) > 5);
slice 1, every segment
  SELECT "t1"."v" AS "mere_k0", "t1"."w" AS "mere_a1" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_part_1"."v" AS "v" FROM (SELECT "mere_rows"."mere_k0" AS "v" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0" HAVING CAST(SUM("mere_rows"."mere_a1") AS BIGINT) > 5) AS "mere_part_1"
  => mere_motion_2: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 3, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."k" IN (SELECT "mere_part_1"."v" AS "v" FROM mere_motion_2 AS "mere_part_1")
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

SELECT t0.v FROM t0 WHERE t0.w > ALL (SELECT t1.w FROM t1 WHERE t1.k = 3);
slice 1, every segment
  SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = 3
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."w" > ALL ((SELECT "mere_part_1"."w" AS "w" FROM mere_motion_1 AS "mere_part_1"))
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_2;

SELECT t0.v FROM t0 WHERE t0.w <= ANY (SELECT t1.w FROM t1 WHERE t1.k = t0.k);
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."w" <= ANY (SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "t0"."k")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_1;

SELECT t0.v FROM t0 WHERE EXISTS (SELECT 1 FROM t1 WHERE t1.w > 100);
slice 1, every segment
  SELECT 1 AS "mere_nothing" FROM (SELECT 1 AS "mere_nothing" FROM mere_scan_1 AS "t1" WHERE "t1"."w" > 100) AS mere_all LIMIT 1
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE EXISTS(SELECT "mere_part_1"."mere_nothing" AS "mere_nothing" FROM mere_motion_1 AS "mere_part_1")
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_2;

SELECT t0.v FROM t0 WHERE EXISTS (SELECT 1 FROM t1 WHERE t1.k = t0.k) AND NOT EXISTS (SELECT 1 FROM t2 WHERE t2.k = t0.k);
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE EXISTS(SELECT 1 AS "mere_nothing" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "t0"."k") AND NOT EXISTS(SELECT 1 AS "mere_nothing" FROM mere_scan_2 AS "t2" WHERE "t2"."k" = "t0"."k")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_1;

-- A subquery within a subquery.
SELECT t0.v FROM t0 WHERE t0.k IN (SELECT t1.k FROM t1 WHERE t1.v IN (SELECT t2.v FROM t2 WHERE t2.s = 'a'));
slice 1, every segment
  SELECT "mere_part_1"."v" AS "v" FROM (SELECT "t2"."v" AS "v" FROM mere_scan_2 AS "t2" WHERE "t2"."s" = 'a') AS "mere_part_1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."k" IN (SELECT "mere_part_2"."k" AS "k" FROM (SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1" WHERE "t1"."v" IN (SELECT "mere_part_1"."v" AS "v" FROM mere_motion_1 AS "mere_part_1")) AS "mere_part_2")
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_2;

SELECT t0.v FROM t0 WHERE EXISTS (SELECT 1 FROM t1 WHERE t1.k = t0.k AND EXISTS (SELECT 1 FROM t2 WHERE t2.k = t1.k AND t2.v = t0.v));
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t2"."k" AS "k", "t2"."v" AS "v" FROM mere_scan_2 AS "t2"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE EXISTS(SELECT 1 AS "mere_nothing" FROM mere_motion_1 AS "t1" WHERE "t1"."k" = "t0"."k" AND EXISTS(SELECT 1 AS "mere_nothing" FROM mere_motion_2 AS "t2" WHERE "t2"."k" = "t1"."k" AND "t2"."v" = "t0"."v"))
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

-- A subquery in a join's condition.
SELECT t0.v, t1.w FROM t0 LEFT JOIN t1 ON t0.k = t1.k AND t1.v IN (SELECT t2.v FROM t2);
whole: a subquery in the condition of an outer join
slice 1, one segment
  SELECT "t0"."v" AS "v", "t1"."w" AS "w" FROM mere_scan_0 AS "t0" LEFT JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k" AND "t1"."v" IN (SELECT "t2"."v" AS "v" FROM mere_scan_2 AS "t2")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_1;
