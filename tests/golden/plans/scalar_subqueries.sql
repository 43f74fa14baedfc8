-- hash, 3 segments
-- Uncorrelated: once, its value on every segment.
SELECT t0.v FROM t0 WHERE t0.w > (SELECT avg(t1.w) FROM t1);
slice 2, every segment
  SELECT SUM("t1"."w") AS "mere_p0", COUNT("t1"."w") AS "mere_p1" FROM mere_scan_1 AS "t1"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."w" > (SELECT "mere_part_1"."avg" AS "avg" FROM (SELECT MERE_AVG(CAST(SUM("mere_groups"."mere_p0") AS DECIMAL(38,0)), CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT)) AS "avg" FROM mere_motion_2 AS "mere_groups") AS "mere_part_1")
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

SELECT t0.v, (SELECT max(k) FROM t1) AS m FROM t0;
slice 2, every segment
  SELECT MAX("t1"."k") AS "mere_p0" FROM mere_scan_1 AS "t1"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "t0"."v" AS "v", (SELECT "mere_part_1"."max" AS "max" FROM (SELECT MAX("mere_groups"."mere_p0") AS "max" FROM mere_motion_2 AS "mere_groups") AS "mere_part_1") AS "m" FROM mere_scan_0 AS "t0"
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
  SELECT "t1"."v" AS "v", "t1"."w" AS "w" FROM mere_scan_1 AS "t1"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t0"."v" AS "v", (SELECT "t1"."w" AS "w" FROM mere_motion_2 AS "t1" WHERE "t1"."v" = "t0"."v") AS "n" FROM mere_motion_1 AS "t0"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_3;

SELECT small.name, (SELECT count(*) FROM t1 WHERE t1.k = small.k) AS n FROM small;
slice 1, every segment (all of mere_scan_0)
  SELECT "small"."name" AS "name", (SELECT COUNT(*) AS "count" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "small"."k") AS "n" FROM (SELECT "k" AS "k", "name" AS "name" FROM (SELECT "small"."k" AS "k", "small"."name" AS "name" FROM mere_scan_0 AS "small") AS mere_all WHERE (COALESCE((MURMUR3_32(CAST("k" AS BIGINT)) & 2147483647) % 16, 0)) % 3 = $mere_share) AS "small"
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
  SELECT "t0"."s" AS "s" FROM mere_scan_0 AS "t0" WHERE "t0"."w" >= (SELECT MIN("t1"."w") AS "min" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "t0"."k") AND EXISTS(SELECT 1 AS "mere_nothing" FROM mere_motion_1 AS "t2" WHERE "t2"."v" = "t0"."v")
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "s" AS "s" FROM mere_motion_2;

-- Nothing moves after a query of the select list has met its rows, or they would be apart.
SELECT t2.k, t0.v, (SELECT count(*) FROM t1 WHERE t1.k = t0.v) AS n FROM t2 JOIN t0 ON t0.k = t2.v;
slice 1, every segment
  SELECT "t2"."k" AS "k", "t2"."v" AS "v" FROM mere_scan_0 AS "t2"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t2"."k" AS "k", "t0"."v" AS "v" FROM mere_motion_1 AS "t2" CROSS JOIN mere_scan_1 AS "t0" WHERE "t0"."k" = "t2"."v"
  => mere_motion_2: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 3, every segment
  SELECT "mere_part_1"."k" AS "k", "mere_part_1"."v" AS "v", (SELECT COUNT(*) AS "count" FROM mere_scan_2 AS "t1" WHERE "t1"."k" = "mere_part_1"."v") AS "n" FROM mere_motion_2 AS "mere_part_1"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "v" AS "v", "n" AS "n" FROM mere_motion_3;

SELECT t2.k, (SELECT max(t1.w) FROM t1 WHERE t1.k = q.o) AS m FROM t2 JOIN (SELECT t0.k, t0.v AS o FROM t0) q ON q.k = t2.v;
slice 1, every segment
  SELECT "t2"."k" AS "k", "t2"."v" AS "v" FROM mere_scan_0 AS "t2"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t2"."k" AS "k", "t0"."v" AS "v" FROM mere_motion_1 AS "t2" CROSS JOIN mere_scan_1 AS "t0" WHERE "t0"."k" = "t2"."v"
  => mere_motion_2: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 3, every segment
  SELECT "mere_part_1"."k" AS "k", (SELECT MAX("t1"."w") AS "max" FROM mere_scan_2 AS "t1" WHERE "t1"."k" = "mere_part_1"."v") AS "m" FROM mere_motion_2 AS "mere_part_1"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "m" AS "m" FROM mere_motion_3;

SELECT t2.k, (SELECT count(*) FROM t1 WHERE t1.k = t0.v) AS n, (SELECT count(*) FROM t1 b WHERE b.v = t0.w) AS m FROM t2 JOIN t0 ON t0.k = t2.v;
slice 1, every segment
  SELECT "t2"."k" AS "k", "t2"."v" AS "v" FROM mere_scan_0 AS "t2"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t2"."k" AS "k", "t0"."v" AS "v", "t0"."w" AS "w" FROM mere_motion_1 AS "t2" CROSS JOIN mere_scan_1 AS "t0" WHERE "t0"."k" = "t2"."v"
  => mere_motion_2: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 3, every segment
  SELECT "b"."v" AS "v" FROM mere_scan_3 AS "b"
  => mere_motion_3: Broadcast Motion
slice 4, every segment
  SELECT "mere_part_1"."k" AS "k", (SELECT COUNT(*) AS "count" FROM mere_scan_2 AS "t1" WHERE "t1"."k" = "mere_part_1"."v") AS "n", (SELECT COUNT(*) AS "count" FROM mere_motion_3 AS "b" WHERE "b"."v" = "mere_part_1"."w") AS "m" FROM mere_motion_2 AS "mere_part_1"
  => mere_motion_4: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "n" AS "n", "m" AS "m" FROM mere_motion_4;

SELECT t0.s, (SELECT count(a.v) FROM t1 a JOIN (SELECT b.w AS x, c.k AS y FROM t2 b LEFT JOIN other c ON b.k = c.k WHERE b.v = b.w) q ON a.v = q.y WHERE a.s = t0.s) AS n FROM t0;
slice 1, every segment
  SELECT "c"."k" AS "k" FROM mere_scan_2 AS "b" LEFT JOIN mere_scan_3 AS "c" ON "b"."k" = "c"."k" WHERE "b"."v" = "b"."w"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."s" AS "s" FROM mere_scan_0 AS "t0"
  => mere_motion_2: Redistribute Motion, Hash Key: s [CAST(HASH("s") % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "a"."v" AS "v", "a"."s" AS "s" FROM mere_motion_1 AS "mere_part_1" CROSS JOIN mere_scan_1 AS "a" WHERE "a"."v" = "mere_part_1"."k"
  => mere_motion_3: Redistribute Motion, Hash Key: s [CAST(HASH("s") % 2147483647 AS BIGINT)]
slice 4, every segment
  SELECT "t0"."s" AS "s", (SELECT COUNT("mere_part_2"."v") AS "count" FROM mere_motion_3 AS "mere_part_2" WHERE "mere_part_2"."s" = "t0"."s") AS "n" FROM mere_motion_2 AS "t0"
  => mere_motion_4: Gather Motion
coordinator passes on
  SELECT "s" AS "s", "n" AS "n" FROM mere_motion_4;
