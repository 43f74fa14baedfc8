-- hash, 3 segments
-- Uncorrelated: once, its value on every segment.
SELECT t0.v FROM t0 WHERE t0.w > (SELECT avg(t1.w) FROM t1);
slice 1, every segment
  SELECT SUM("t1"."w") AS "mere_p0", COUNT("t1"."w") AS "mere_p1" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Gather Motion
slice 2, one segment
  SELECT MERE_AVG(CAST(SUM("mere_groups"."mere_p0") AS DECIMAL(38,0)), CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT)) AS "avg" FROM mere_motion_1 AS "mere_groups"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."w" > (SELECT "mere_part_1"."avg" AS "avg" FROM mere_motion_2 AS "mere_part_1")
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

SELECT t0.v, (SELECT max(k) FROM t1) AS m FROM t0;
slice 1, every segment
  SELECT MAX("t1"."k") AS "mere_p0" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Gather Motion
slice 2, one segment
  SELECT MAX("mere_groups"."mere_p0") AS "max" FROM mere_motion_1 AS "mere_groups"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "t0"."v" AS "v", (SELECT "mere_part_1"."max" AS "max" FROM mere_motion_2 AS "mere_part_1") AS "m" FROM mere_scan_0 AS "t0"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "m" AS "m" FROM mere_motion_3;

-- More than one row is an error wherever the rows lie.
SELECT t0.v FROM t0 WHERE t0.w = (SELECT t1.w FROM t1 WHERE t1.k = 1);
slice 1, every segment
  SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = 1
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."w" = (SELECT "mere_part_1"."w" AS "w" FROM mere_motion_1 AS "mere_part_1")
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_2;

-- Correlated on a key, and an inner side that is not split by it.
SELECT t0.v, (SELECT count(*) FROM t1 WHERE t1.k = t0.k) AS n FROM t0;
slice 1, every segment
  SELECT "t0"."v" AS "v", (SELECT COUNT(*) AS "count" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "t0"."k") AS "n" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_1;

SELECT t0.v, (SELECT sum(t1.w) FROM t1 WHERE t1.v = t0.v) AS n FROM t0;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "t1"."v" AS "v", "t1"."w" AS "w" FROM mere_scan_1 AS "t1"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t0"."v" AS "v", (SELECT CAST(SUM("t1"."w") AS BIGINT) AS "sum" FROM mere_motion_2 AS "t1" WHERE "t1"."v" = "t0"."v") AS "n" FROM mere_motion_1 AS "t0"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_3;

SELECT t0.v, (SELECT t1.w FROM t1 WHERE t1.v = t0.v) AS n FROM t0;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "t1"."w" AS "w", "t1"."v" AS "v" FROM mere_scan_1 AS "t1"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t0"."v" AS "v", (SELECT "t1"."w" AS "w" FROM mere_motion_2 AS "t1" WHERE "t1"."v" = "t0"."v") AS "n" FROM mere_motion_1 AS "t0"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_3;

SELECT small.name, (SELECT count(*) FROM t1 WHERE t1.k = small.k) AS n FROM small;
slice 1, every segment (all of mere_scan_0)
  SELECT "small"."name" AS "name", (SELECT COUNT(*) AS "count" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "small"."k") AS "n" FROM (SELECT "name" AS "name", "k" AS "k" FROM (SELECT "small"."name" AS "name", "small"."k" AS "k" FROM mere_scan_0 AS "small") AS mere_all WHERE (COALESCE((MURMUR3_32(CAST("k" AS BIGINT)) & 2147483647) % 16, 0)) % 3 = $mere_share) AS "small"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "name" AS "name", "n" AS "n" FROM mere_motion_1;

-- Correlated by no equality.
SELECT t0.v, (SELECT count(*) FROM t1 WHERE t1.k < t0.k) AS n FROM t0;
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v", (SELECT COUNT(*) AS "count" FROM mere_motion_1 AS "t1" WHERE "t1"."k" < "t0"."k") AS "n" FROM mere_scan_0 AS "t0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

-- The aggregate of its own group.
SELECT t0.s FROM t0 WHERE t0.w > (SELECT 0.5 * avg(b.w) FROM t0 b WHERE b.k = t0.k);
slice 1, every segment
  SELECT "t0"."s" AS "s" FROM mere_scan_0 AS "t0" WHERE "t0"."w" > (SELECT CAST(0.5 AS DOUBLE) * CAST(MERE_AVG(CAST(SUM("b"."w") AS DECIMAL(38,0)), COUNT("b"."w")) AS DOUBLE) AS "?column?" FROM mere_scan_1 AS "b" WHERE "b"."k" = "t0"."k")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "s" AS "s" FROM mere_motion_1;

-- Two subqueries with keys of their own.
SELECT t0.s FROM t0 WHERE t0.w >= (SELECT min(w) FROM t1 WHERE t1.k = t0.k) AND EXISTS (SELECT 1 FROM t2 WHERE t2.v = t0.v);
slice 1, every segment
  SELECT "t2"."v" AS "v" FROM mere_scan_2 AS "t2"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."s" AS "s" FROM mere_scan_0 AS "t0" WHERE "t0"."w" >= (SELECT MIN("t1"."w") AS "min" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "t0"."k") AND EXISTS(SELECT 1 AS "?column?" FROM mere_motion_1 AS "t2" WHERE "t2"."v" = "t0"."v")
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "s" AS "s" FROM mere_motion_2;
