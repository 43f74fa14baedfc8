-- hash, 3 segments
-- The same rows to the same place move once.
SELECT a.w, b.w AS other FROM t0 a JOIN t0 b ON a.v = b.v WHERE a.w < b.w;
slice 1, every segment
  SELECT "a"."v" AS "v", "a"."w" AS "w" FROM mere_scan_0 AS "a"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "a"."w" AS "w", "b"."w" AS "other" FROM mere_motion_1 AS "a" CROSS JOIN mere_motion_1 AS "b" WHERE "a"."v" = "b"."v" AND "a"."w" < "b"."w"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "w" AS "w", "other" AS "other" FROM mere_motion_3;

SELECT t0.v FROM t0 WHERE t0.w = (SELECT min(b.w) FROM t0 b WHERE b.v = t0.v);
slice 1, every segment
  SELECT "t0"."v" AS "v", "t0"."w" AS "w" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t0"."v" AS "v" FROM mere_motion_1 AS "t0" WHERE "t0"."w" = (SELECT MIN("b"."w") AS "min" FROM mere_motion_1 AS "b" WHERE "b"."v" = "t0"."v")
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

-- Under other names too: the groups of a condition read what the query around it reads.
-- random, 3 segments
SELECT a.w FROM t0 a WHERE a.v IN (SELECT b.v FROM t0 b GROUP BY b.v HAVING sum(b.w) > 3);
slice 1, every segment
  SELECT "b"."v" AS "mere_k0", "b"."w" AS "mere_a1" FROM mere_scan_1 AS "b"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_part_1"."v" AS "v" FROM (SELECT "mere_rows"."mere_k0" AS "v" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0" HAVING CAST(SUM("mere_rows"."mere_a1") AS BIGINT) > 3) AS "mere_part_1"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "a"."w" AS "w" FROM mere_scan_0 AS "a" WHERE "a"."v" IN (SELECT "mere_part_1"."v" AS "v" FROM mere_motion_2 AS "mere_part_1")
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "w" AS "w" FROM mere_motion_3;

SELECT a.w, b.w, c.w FROM t0 a JOIN t0 b ON a.v = b.v JOIN t0 c ON b.v = c.v WHERE a.w > 2 AND b.w > 2 AND c.w > 2;
slice 1, every segment
  SELECT "a"."v" AS "v", "a"."w" AS "w" FROM mere_scan_0 AS "a" WHERE "a"."w" > 2
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 4, every segment
  SELECT "a"."w" AS "w", "b"."w" AS "w_1", "c"."w" AS "w_2" FROM mere_motion_1 AS "a" CROSS JOIN mere_motion_1 AS "b" CROSS JOIN mere_motion_1 AS "c" WHERE "a"."v" = "b"."v" AND "b"."v" = "c"."v"
  => mere_motion_4: Gather Motion
coordinator passes on
  SELECT "w" AS "w", "w_1" AS "w_1", "w_2" AS "w_2" FROM mere_motion_4;

-- Other conditions are other rows.
SELECT count(*) FROM t0 a JOIN t0 b ON a.v = b.v WHERE a.w > 1 AND b.w > 2;
slice 1, every segment
  SELECT "a"."v" AS "v" FROM mere_scan_0 AS "a" WHERE "a"."w" > 1
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "b"."v" AS "v" FROM mere_scan_1 AS "b" WHERE "b"."w" > 2
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT COUNT(*) AS "mere_p0" FROM mere_motion_1 AS "a" CROSS JOIN mere_motion_2 AS "b" WHERE "a"."v" = "b"."v"
  => mere_motion_3: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "count" FROM mere_motion_3 AS "mere_groups";

-- Other keys are other places.
SELECT a.s, b.s FROM t0 a JOIN t1 ON a.v = t1.v JOIN t0 b ON b.w = t1.w;
slice 1, every segment
  SELECT "t1"."v" AS "v", "t1"."w" AS "w" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Redistribute Motion, Hash Key: w [CAST(HASH(CAST("w" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "b"."s" AS "s", "b"."w" AS "w" FROM mere_scan_2 AS "b"
  => mere_motion_2: Redistribute Motion, Hash Key: w [CAST(HASH(CAST("w" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "a"."s" AS "s", "a"."v" AS "v" FROM mere_scan_0 AS "a"
  => mere_motion_3: Broadcast Motion
slice 4, every segment
  SELECT "a"."s" AS "s", "b"."s" AS "s_1" FROM mere_motion_1 AS "t1" CROSS JOIN mere_motion_2 AS "b" CROSS JOIN mere_motion_3 AS "a" WHERE "b"."w" = "t1"."w" AND "a"."v" = "t1"."v"
  => mere_motion_4: Gather Motion
coordinator passes on
  SELECT "s" AS "s", "s_1" AS "s_1" FROM mere_motion_4;

-- Slices that read one motion are the same when they do the same.
SELECT count(*) FROM (SELECT v, count(*) AS n FROM t0 GROUP BY v) a JOIN (SELECT v, count(*) AS n FROM t0 GROUP BY v) b ON a.n = b.n;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "a"."n" AS "n" FROM (SELECT COUNT(*) AS "n" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0") AS "a"
  => mere_motion_3: Redistribute Motion, Hash Key: n [CAST(HASH("n") % 2147483647 AS BIGINT)]
slice 5, every segment
  SELECT COUNT(*) AS "mere_p0" FROM mere_motion_3 AS "a" CROSS JOIN mere_motion_3 AS "b" WHERE "a"."n" = "b"."n"
  => mere_motion_5: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "count" FROM mere_motion_5 AS "mere_groups";

-- The columns of both move once.
-- random, 3 segments
SELECT count(*), sum(b.w) FROM t0 a JOIN t0 b ON a.v = b.v WHERE a.w > 2 AND b.w > 2;
slice 1, every segment
  SELECT "a"."v" AS "v", "a"."w" AS "w" FROM mere_scan_0 AS "a" WHERE "a"."w" > 2
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT COUNT(*) AS "mere_p0", SUM("b"."w") AS "mere_p1" FROM mere_motion_1 AS "a" CROSS JOIN mere_motion_1 AS "b" WHERE "a"."v" = "b"."v"
  => mere_motion_3: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "count", CAST(SUM("mere_groups"."mere_p1") AS BIGINT) AS "sum" FROM mere_motion_3 AS "mere_groups";
