-- hash, 3 segments
-- A star has no class: the large table stays, the small ones go to it.
-- stated t0 900
-- stated t1 900
-- stated t2 900
SELECT sum(big.n) AS n, t0.s FROM big JOIN t0 ON big.v = t0.k JOIN t1 ON big.n = t1.v JOIN t2 ON big.d::text = t2.s GROUP BY t0.s;
slice 1, every segment
  SELECT "t1"."v" AS "v" FROM mere_scan_2 AS "t1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "big"."n" AS "n", "big"."v" AS "v", "big"."d" AS "d" FROM mere_scan_0 AS "big" CROSS JOIN mere_motion_1 AS "t1" WHERE "big"."n" = "t1"."v"
  => mere_motion_2: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32("v") & 2147483647) % 16, 0)]
slice 3, every segment
  SELECT "t2"."s" AS "s" FROM mere_scan_3 AS "t2"
  => mere_motion_3: Broadcast Motion
slice 4, every segment
  SELECT "t0"."s" AS "mere_k0", SUM("mere_part_1"."n") AS "mere_p1" FROM mere_motion_2 AS "mere_part_1" CROSS JOIN mere_scan_1 AS "t0" CROSS JOIN mere_motion_3 AS "t2" WHERE "mere_part_1"."v" = "t0"."k" AND MERE_DATE_OUT("mere_part_1"."d") = "t2"."s" GROUP BY "t0"."s"
  => mere_motion_4: Gather Motion
coordinator
  SELECT SUM("mere_groups"."mere_p1") AS "n", "mere_groups"."mere_k0" AS "s" FROM mere_motion_4 AS "mere_groups" GROUP BY "mere_groups"."mere_k0";

-- random, 3 segments
-- stated t0 900
-- stated t1 900
SELECT big.v, t0.s, t1.s AS other FROM big LEFT JOIN t0 ON big.v = t0.k LEFT JOIN t1 ON big.k = t1.k;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t0"."s" AS "s" FROM mere_scan_1 AS "t0"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t1"."k" AS "k", "t1"."s" AS "s" FROM mere_scan_2 AS "t1"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "big"."v" AS "v", "t0"."s" AS "s", "t1"."s" AS "other" FROM mere_scan_0 AS "big" LEFT JOIN mere_motion_1 AS "t0" ON "big"."v" = "t0"."k" LEFT JOIN mere_motion_2 AS "t1" ON "big"."k" = "t1"."k"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "s" AS "s", "other" AS "other" FROM mere_motion_3;
