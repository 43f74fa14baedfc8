-- hash, 3 segments
-- The broadcast would be too large: two joins, and a motion between them.
SELECT t0.s, t1.s AS other FROM big JOIN t0 ON big.v = t0.k JOIN t1 ON t0.v = t1.v;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t0"."s" AS "s", "t0"."v" AS "v" FROM mere_scan_1 AS "t0"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t1"."s" AS "s", "t1"."v" AS "v" FROM mere_scan_2 AS "t1"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "t0"."s" AS "s", "t1"."s" AS "other" FROM mere_scan_0 AS "big" CROSS JOIN mere_motion_1 AS "t0" CROSS JOIN mere_motion_2 AS "t1" WHERE "big"."v" = "t0"."k" AND "t0"."v" = "t1"."v"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "s" AS "s", "other" AS "other" FROM mere_motion_3;

SELECT count(*) AS n FROM big JOIN t0 ON big.v = t0.w JOIN other ON big.k = other.k JOIN t1 ON t0.s = t1.s;
slice 1, every segment
  SELECT "t0"."s" AS "s", "t0"."w" AS "w" FROM mere_scan_1 AS "t0"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."s" AS "s" FROM mere_scan_0 AS "big" CROSS JOIN mere_motion_1 AS "t0" CROSS JOIN mere_scan_2 AS "other" WHERE "big"."v" = "t0"."w" AND "big"."k" = "other"."k"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT COUNT(*) AS "mere_p0" FROM mere_motion_2 AS "mere_part_1" CROSS JOIN mere_scan_3 AS "t1" WHERE "mere_part_1"."s" = "t1"."s"
  => mere_motion_3: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_3 AS "mere_groups";

-- random, 3 segments
SELECT count(*) AS n FROM big JOIN t0 ON big.k = t0.k JOIN t1 ON big.v = t1.k;
slice 1, every segment
  SELECT "t0"."k" AS "k" FROM mere_scan_1 AS "t0"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_2 AS "t1"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT COUNT(*) AS "mere_p0" FROM mere_scan_0 AS "big" CROSS JOIN mere_motion_1 AS "t0" CROSS JOIN mere_motion_2 AS "t1" WHERE "big"."k" = "t0"."k" AND "big"."v" = "t1"."k"
  => mere_motion_3: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_3 AS "mere_groups";
