-- hash, 3 segments
-- An outer join's equality attaches its nullable side by one column; it never merges two classes.
SELECT t0.k, t1.w, t2.v FROM t0 LEFT JOIN t1 ON t0.k = t1.w FULL JOIN t2 ON t1.w = t2.v AND t0.v = t2.v;
slice 1, every segment
  SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Redistribute Motion, Hash Key: w [COALESCE((MURMUR3_32(CAST("w" AS BIGINT)) & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t2"."v" AS "v" FROM mere_scan_2 AS "t2"
  => mere_motion_2: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 3, every segment
  SELECT "mere_part_1"."k" AS "k", "mere_part_1"."w" AS "w", "t2"."v" AS "v" FROM ((SELECT "t0"."k" AS "k", "t1"."w" AS "w", "t0"."v" AS "v" FROM mere_scan_0 AS "t0" LEFT JOIN mere_motion_1 AS "t1" ON "t0"."k" = "t1"."w") AS "mere_part_1" FULL JOIN mere_motion_2 AS "t2" ON "mere_part_1"."w" = "t2"."v" AND "mere_part_1"."v" = "t2"."v")
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "w" AS "w", "v" AS "v" FROM mere_motion_3;

SELECT t0.k, t1.w, t2.v FROM t0 FULL JOIN t1 ON t0.k = t1.w AND t0.k = t1.k FULL JOIN t2 ON t1.k = t2.v;
slice 1, every segment
  SELECT "t2"."v" AS "v" FROM mere_scan_2 AS "t2"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "mere_part_1"."k" AS "k", "mere_part_1"."w" AS "w", "t2"."v" AS "v" FROM ((SELECT "t0"."k" AS "k", "t1"."w" AS "w", "t1"."k" AS "t1_k" FROM (mere_scan_0 AS "t0" FULL JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."w" AND "t0"."k" = "t1"."k")) AS "mere_part_1" FULL JOIN mere_motion_1 AS "t2" ON "mere_part_1"."t1_k" = "t2"."v")
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "w" AS "w", "v" AS "v" FROM mere_motion_2;

SELECT t0.k, t1.k AS k1, t2.v FROM t0 LEFT JOIN t1 ON t0.k = t1.k LEFT JOIN t2 ON t1.k = t2.k;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t1"."k" AS "k1", "t2"."v" AS "v" FROM mere_scan_0 AS "t0" LEFT JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k" LEFT JOIN mere_scan_2 AS "t2" ON "t1"."k" = "t2"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "k1" AS "k1", "v" AS "v" FROM mere_motion_1;

SELECT t0.k, t1.k AS k1, t2.v FROM t0 LEFT JOIN t1 ON t0.k = t1.k JOIN t2 ON t1.k = t2.k;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t1"."k" AS "k1", "t2"."v" AS "v" FROM mere_scan_0 AS "t0" LEFT JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k" CROSS JOIN mere_scan_2 AS "t2" WHERE "t1"."k" = "t2"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "k1" AS "k1", "v" AS "v" FROM mere_motion_1;

SELECT t0.k, t1.k AS k1 FROM t0 LEFT JOIN t1 ON t0.k = t1.k WHERE t0.v = t1.v OR t1.v IS NULL;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t1"."k" AS "k1" FROM mere_scan_0 AS "t0" LEFT JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k" WHERE ("t0"."v" = "t1"."v" OR "t1"."v" IS NULL)
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "k1" AS "k1" FROM mere_motion_1;

SELECT count(*) AS n FROM t0 LEFT JOIN t1 ON t0.k = t1.k JOIN t2 ON t0.v = t2.v AND t1.v = t2.k;
slice 1, every segment
  SELECT "t2"."k" AS "k", "t2"."v" AS "v" FROM mere_scan_2 AS "t2"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT COUNT(*) AS "mere_p0" FROM mere_scan_0 AS "t0" CROSS JOIN mere_motion_1 AS "t2" LEFT JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k" WHERE "t0"."v" = "t2"."v" AND "t1"."v" = "t2"."k"
  => mere_motion_2: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_2 AS "mere_groups";
