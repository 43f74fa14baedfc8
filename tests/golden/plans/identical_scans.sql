-- hash, 3 segments
-- The same rows to the same place move once.
SELECT a.w, b.w AS other FROM t0 a JOIN t0 b ON a.v = b.v WHERE a.w < b.w;
slice 1, every segment
  SELECT "a"."v" AS "v", "a"."w" AS "w" FROM mere_scan_0 AS "a"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "b"."v" AS "v", "b"."w" AS "w" FROM mere_scan_1 AS "b"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "a"."w" AS "w", "b"."w" AS "other" FROM mere_motion_1 AS "a" CROSS JOIN mere_motion_2 AS "b" WHERE "a"."v" = "b"."v" AND "a"."w" < "b"."w"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "w" AS "w", "other" AS "other" FROM mere_motion_3;

SELECT t0.v FROM t0 WHERE t0.w = (SELECT min(b.w) FROM t0 b WHERE b.v = t0.v);
slice 1, every segment
  SELECT "t0"."v" AS "v", "t0"."w" AS "w" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "b"."v" AS "v", "b"."w" AS "w" FROM mere_scan_1 AS "b"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t0"."v" AS "v" FROM mere_motion_1 AS "t0" WHERE "t0"."w" = (SELECT MIN("b"."w") AS "min" FROM mere_motion_2 AS "b" WHERE "b"."v" = "t0"."v")
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;
