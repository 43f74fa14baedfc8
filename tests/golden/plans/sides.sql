-- hash, 3 segments
-- inner(P, R) is partitioned; left(P, R) too.
SELECT t0.k, small.name FROM t0 LEFT JOIN small ON t0.v = small.k;
slice 1, every segment (all of mere_scan_1)
  SELECT "t0"."k" AS "k", "small"."name" AS "name" FROM mere_scan_0 AS "t0" LEFT JOIN mere_scan_1 AS "small" ON "t0"."v" = "small"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "name" AS "name" FROM mere_motion_1;

-- left(R, P) would give the replicated side's rows on every segment: it is joined where its key lies.
SELECT small.name, t0.v FROM small LEFT JOIN t0 ON small.k = t0.k;
slice 1, every segment (all of mere_scan_0)
  SELECT "small"."name" AS "name", "t0"."v" AS "v" FROM (SELECT "k" AS "k", "name" AS "name" FROM (SELECT "small"."k" AS "k", "small"."name" AS "name" FROM mere_scan_0 AS "small") AS mere_all WHERE (COALESCE((MURMUR3_32(CAST("k" AS BIGINT)) & 2147483647) % 16, 0)) % 3 = $mere_share) AS "small" LEFT JOIN mere_scan_1 AS "t0" ON "small"."k" = "t0"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "name" AS "name", "v" AS "v" FROM mere_motion_1;

SELECT small.name, t0.v FROM t0 RIGHT JOIN small ON small.k = t0.v;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment (all of mere_scan_1)
  SELECT "small"."name" AS "name", "t0"."v" AS "v" FROM (SELECT "k" AS "k", "name" AS "name" FROM (SELECT "small"."k" AS "k", "small"."name" AS "name" FROM mere_scan_1 AS "small") AS mere_all WHERE (CAST(HASH(CAST("k" AS BIGINT)) % 2147483647 AS BIGINT)) % 3 = $mere_share) AS "small" LEFT JOIN mere_motion_1 AS "t0" ON "small"."k" = "t0"."v"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "name" AS "name", "v" AS "v" FROM mere_motion_2;

-- full needs both sides partitioned alike.
SELECT t0.v, t1.w FROM t0 FULL JOIN t1 ON t0.k = t1.k;
slice 1, every segment
  SELECT "t0"."v" AS "v", "t1"."w" AS "w" FROM (mere_scan_0 AS "t0" FULL JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_1;

SELECT t0.v, t1.w FROM t0 FULL JOIN t1 ON t0.v = t1.w;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1"
  => mere_motion_2: Redistribute Motion, Hash Key: w [CAST(HASH(CAST("w" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t0"."v" AS "v", "t1"."w" AS "w" FROM (mere_motion_1 AS "t0" FULL JOIN mere_motion_2 AS "t1" ON "t0"."v" = "t1"."w")
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_3;

SELECT small.name, t0.v FROM small FULL JOIN t0 ON small.k = t0.k;
slice 1, every segment (all of mere_scan_0)
  SELECT "small"."name" AS "name", "t0"."v" AS "v" FROM ((SELECT "k" AS "k", "name" AS "name" FROM (SELECT "small"."k" AS "k", "small"."name" AS "name" FROM mere_scan_0 AS "small") AS mere_all WHERE (COALESCE((MURMUR3_32(CAST("k" AS BIGINT)) & 2147483647) % 16, 0)) % 3 = $mere_share) AS "small" FULL JOIN (SELECT "t0"."k" AS "k", "t0"."v" AS "v" FROM mere_scan_1 AS "t0") AS "t0" ON "small"."k" = "t0"."k")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "name" AS "name", "v" AS "v" FROM mere_motion_1;

SELECT a.name, b.name AS other FROM small a FULL JOIN small b ON a.k = b.k + 1;
slice 1, one segment
  SELECT "a"."name" AS "name", "b"."name" AS "other" FROM (mere_scan_0 AS "a" FULL JOIN mere_scan_1 AS "b" ON "a"."k" = ("b"."k" + 1))
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "name" AS "name", "other" AS "other" FROM mere_motion_1;

-- semi and anti with a partitioned inner side need a partitioned outer one, attached.
SELECT t0.v FROM t0 WHERE EXISTS (SELECT 1 FROM t1 WHERE t1.k = t0.k AND t1.v > t0.v);
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE EXISTS(SELECT 1 AS "mere_nothing" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "t0"."k" AND "t1"."v" > "t0"."v")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_1;

SELECT small.name FROM small WHERE EXISTS (SELECT 1 FROM t1 WHERE t1.k = small.k);
slice 1, every segment (all of mere_scan_0)
  SELECT "small"."name" AS "name" FROM (SELECT "k" AS "k", "name" AS "name" FROM (SELECT "small"."k" AS "k", "small"."name" AS "name" FROM mere_scan_0 AS "small") AS mere_all WHERE (COALESCE((MURMUR3_32(CAST("k" AS BIGINT)) & 2147483647) % 16, 0)) % 3 = $mere_share) AS "small" WHERE EXISTS(SELECT 1 AS "mere_nothing" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "small"."k")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "name" AS "name" FROM mere_motion_1;

SELECT small.name FROM small WHERE NOT EXISTS (SELECT 1 FROM t1 WHERE t1.v = small.k);
slice 1, every segment
  SELECT "t1"."v" AS "v" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment (all of mere_scan_0)
  SELECT "small"."name" AS "name" FROM (SELECT "k" AS "k", "name" AS "name" FROM (SELECT "small"."k" AS "k", "small"."name" AS "name" FROM mere_scan_0 AS "small") AS mere_all WHERE (CAST(HASH(CAST("k" AS BIGINT)) % 2147483647 AS BIGINT)) % 3 = $mere_share) AS "small" WHERE NOT EXISTS(SELECT 1 AS "mere_nothing" FROM mere_motion_1 AS "t1" WHERE "t1"."v" = "small"."k")
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "name" AS "name" FROM mere_motion_2;

SELECT t0.v FROM t0 WHERE NOT EXISTS (SELECT 1 FROM t1 WHERE t1.v = t0.w);
slice 1, every segment
  SELECT "t0"."v" AS "v", "t0"."w" AS "w" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: w [CAST(HASH(CAST("w" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "t1"."v" AS "v" FROM mere_scan_1 AS "t1"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t0"."v" AS "v" FROM mere_motion_1 AS "t0" WHERE NOT EXISTS(SELECT 1 AS "mere_nothing" FROM mere_motion_2 AS "t1" WHERE "t1"."v" = "t0"."w")
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_3;

-- The NULL group of a key from a nullable side is on every segment: not complete locally.
SELECT t1.k, count(*) AS n FROM t0 LEFT JOIN t1 ON t0.k = t1.k GROUP BY t1.k;
slice 1, every segment
  SELECT "t1"."k" AS "mere_k0", COUNT(*) AS "mere_p1" FROM mere_scan_0 AS "t0" LEFT JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k" GROUP BY "t1"."k"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_k0" AS "k", CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "n" AS "n" FROM mere_motion_2;

SELECT DISTINCT t1.k FROM t0 LEFT JOIN t1 ON t0.k = t1.k;
slice 1, every segment
  SELECT DISTINCT "t1"."k" AS "k" FROM mere_scan_0 AS "t0" LEFT JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k"
  => mere_motion_1: Redistribute Motion, Hash Key: k [CAST(HASH(CAST("k" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_distinct"."k" AS "k" FROM mere_motion_1 AS "mere_distinct"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_2;

SELECT t0.v, count(*) OVER (PARTITION BY t1.k) AS n FROM t0 LEFT JOIN t1 ON t0.k = t1.k;
slice 1, every segment
  SELECT "t1"."k" AS "mere_k0", "t0"."v" AS "mere_c1" FROM mere_scan_0 AS "t0" LEFT JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_windows"."mere_c1" AS "v", COUNT(*) OVER (PARTITION BY "mere_windows"."mere_k0") AS "n" FROM mere_motion_1 AS "mere_windows"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

SELECT coalesce(t0.k, t1.k) AS k, count(*) AS n FROM t0 FULL JOIN t1 ON t0.k = t1.k GROUP BY 1;
slice 1, every segment
  SELECT COALESCE("t0"."k", "t1"."k") AS "mere_k0", COUNT(*) AS "mere_p1" FROM (mere_scan_0 AS "t0" FULL JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k") GROUP BY COALESCE("t0"."k", "t1"."k")
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_k0" AS "k", CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "n" AS "n" FROM mere_motion_2;

-- The rows of the preserved side's key are not NULL through the join.
SELECT t0.k, count(t1.v) AS n FROM t0 LEFT JOIN t1 ON t0.k = t1.k GROUP BY t0.k;
slice 1, every segment
  SELECT "t0"."k" AS "k", COUNT("t1"."v") AS "n" FROM mere_scan_0 AS "t0" LEFT JOIN mere_scan_1 AS "t1" ON "t0"."k" = "t1"."k" GROUP BY "t0"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "n" AS "n" FROM mere_motion_1;

-- UNION ALL of replicated and partitioned reads the replicated branch once.
SELECT k FROM t0 UNION ALL SELECT k FROM small;
slice 1, every segment (all of mere_scan_1)
  WITH mere_collected AS MATERIALIZED ((SELECT "t0"."k" AS "k" FROM mere_scan_0 AS "t0") UNION ALL (SELECT "k" AS "k" FROM (SELECT "small"."k" AS "k" FROM mere_scan_1 AS "small") AS mere_all WHERE $mere_share = 0)) SELECT * FROM mere_collected
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_1;

SELECT count(*) AS n FROM (SELECT k FROM t0 UNION ALL SELECT k FROM small) u;
slice 1, every segment (all of mere_scan_1)
  WITH mere_collected AS MATERIALIZED (SELECT COUNT(*) AS "mere_p0" FROM ((SELECT "t0"."k" AS "k" FROM mere_scan_0 AS "t0") UNION ALL (SELECT "k" AS "k" FROM (SELECT "small"."k" AS "k" FROM mere_scan_1 AS "small") AS mere_all WHERE $mere_share = 0)) AS "u") SELECT * FROM mere_collected
  => mere_motion_1: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_groups";

-- Uncorrelated NOT IN wants all of the subquery: its NULLs count, and an empty share is no answer.
SELECT t0.v FROM t0 WHERE t0.k NOT IN (SELECT t1.k FROM t1);
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE NOT "t0"."k" IN (SELECT "mere_part_1"."k" AS "k" FROM mere_motion_1 AS "mere_part_1")
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_2;

SELECT t0.v FROM t0 WHERE t0.k NOT IN (SELECT t1.k FROM t1 WHERE t1.k IS NOT NULL AND t1.v > 3);
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1" WHERE NOT "t1"."k" IS NULL AND "t1"."v" > 3
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE NOT "t0"."k" IN (SELECT "mere_part_1"."k" AS "k" FROM mere_motion_1 AS "mere_part_1")
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_2;

SELECT t0.v FROM t0 WHERE t0.k NOT IN (SELECT empty.k FROM empty);
slice 1, every segment (all of mere_scan_1)
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE NOT "t0"."k" IN (SELECT "mere_part_1"."k" AS "k" FROM (SELECT "empty"."k" AS "k" FROM mere_scan_1 AS "empty") AS "mere_part_1")
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_1;
