-- hash, 3 segments
-- The few rows that a filtered small table leaves filter the large one before it moves.
-- stated t0 50000
SELECT big.n, t0.s FROM big JOIN t0 ON big.v = t0.v JOIN t1 ON big.v = t1.v WHERE t0.s = 'a';
slice 1, every segment
  SELECT "t0"."s" AS "s", "t0"."v" AS "v" FROM mere_scan_1 AS "t0" WHERE "t0"."s" = 'a'
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."s" AS "s", "t0"."v" AS "v", "t1"."v" AS "t1_v" FROM mere_motion_1 AS "t0" CROSS JOIN mere_scan_2 AS "t1" WHERE "t0"."v" = "t1"."v"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "big"."n" AS "n", "mere_part_1"."s" AS "s" FROM mere_motion_2 AS "mere_part_1" CROSS JOIN mere_scan_0 AS "big" WHERE "big"."v" = "mere_part_1"."v" AND "big"."v" = "mere_part_1"."t1_v"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "n" AS "n", "s" AS "s" FROM mere_motion_3;
