-- hash, 3 segments
SELECT k, v, sum(w) OVER (PARTITION BY k) AS s FROM t0;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t0"."v" AS "v", CAST(SUM("t0"."w") OVER (PARTITION BY "t0"."k") AS BIGINT) AS "s" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "v" AS "v", "s" AS "s" FROM mere_motion_1;

SELECT k, v, rank() OVER (PARTITION BY k, v ORDER BY w) AS r FROM t0;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t0"."v" AS "v", RANK() OVER (PARTITION BY "t0"."k", "t0"."v" ORDER BY "t0"."w" ASC NULLS LAST) AS "r" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "v" AS "v", "r" AS "r" FROM mere_motion_1;

SELECT k, v, sum(w) OVER (PARTITION BY v) AS s FROM t0;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."k" AS "mere_c1", "t0"."w" AS "mere_c2" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_windows"."mere_c1" AS "k", "mere_windows"."mere_k0" AS "v", CAST(SUM("mere_windows"."mere_c2") OVER (PARTITION BY "mere_windows"."mere_k0") AS BIGINT) AS "s" FROM mere_motion_1 AS "mere_windows"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "v" AS "v", "s" AS "s" FROM mere_motion_2;

-- Two windows that share a key, and two that do not.
SELECT v, count(*) OVER (PARTITION BY v, w) AS a, count(*) OVER (PARTITION BY v, s) AS b FROM t0;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_c1", "t0"."s" AS "mere_c2" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_windows"."mere_k0" AS "v", COUNT(*) OVER (PARTITION BY "mere_windows"."mere_k0", "mere_windows"."mere_c1") AS "a", COUNT(*) OVER (PARTITION BY "mere_windows"."mere_k0", "mere_windows"."mere_c2") AS "b" FROM mere_motion_1 AS "mere_windows"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "a" AS "a", "b" AS "b" FROM mere_motion_2;

SELECT v, count(*) OVER (PARTITION BY v) AS a, count(*) OVER (PARTITION BY w) AS b FROM t0;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_c1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_windows"."mere_c1" AS "mere_k0", "mere_windows"."mere_k0" AS "mere_c1", COUNT(*) OVER (PARTITION BY "mere_windows"."mere_k0") AS "mere_c2" FROM mere_motion_1 AS "mere_windows"
  => mere_motion_2: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "mere_windows"."mere_c1" AS "v", "mere_windows"."mere_c2" AS "a", COUNT(*) OVER (PARTITION BY "mere_windows"."mere_k0") AS "b" FROM mere_motion_2 AS "mere_windows"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "a" AS "a", "b" AS "b" FROM mere_motion_3;

-- A computed key is a column first.
SELECT v, count(*) OVER (PARTITION BY v % 2) AS n FROM t0;
slice 1, every segment
  SELECT "t0"."v" % 2 AS "mere_k0", "t0"."v" AS "mere_c1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_windows"."mere_c1" AS "v", COUNT(*) OVER (PARTITION BY "mere_windows"."mere_k0") AS "n" FROM mere_motion_1 AS "mere_windows"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

-- Without a key: all rows in one place; over an aggregate, few rows.
SELECT v, rank() OVER (ORDER BY w, v) AS r FROM t0;
slice 1, every segment
  SELECT "t0"."v" AS "mere_c0", "t0"."w" AS "mere_c1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
slice 2, one segment
  SELECT "mere_windows"."mere_c0" AS "v", RANK() OVER (ORDER BY "mere_windows"."mere_c1" ASC NULLS LAST, "mere_windows"."mere_c0" ASC NULLS LAST) AS "r" FROM mere_motion_1 AS "mere_windows"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "r" AS "r" FROM mere_motion_2;

SELECT v, sum(w) AS s, rank() OVER (ORDER BY sum(w)) AS r FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "mere_c0", SUM("mere_rows"."mere_a1") AS "mere_c1" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
slice 3, one segment
  SELECT "mere_windows"."mere_c0" AS "v", CAST("mere_windows"."mere_c1" AS BIGINT) AS "s", RANK() OVER (ORDER BY CAST("mere_windows"."mere_c1" AS BIGINT) ASC NULLS LAST) AS "r" FROM mere_motion_2 AS "mere_windows"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "s" AS "s", "r" AS "r" FROM mere_motion_3;

SELECT v, sum(sum(w)) OVER () AS t FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "mere_c0", SUM("mere_rows"."mere_a1") AS "mere_c1" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
slice 3, one segment
  SELECT "mere_windows"."mere_c0" AS "v", CAST(SUM(CAST("mere_windows"."mere_c1" AS BIGINT)) OVER () AS DECIMAL(38,0)) AS "t" FROM mere_motion_2 AS "mere_windows"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "t" AS "t" FROM mere_motion_3;

SELECT q.v, q.r FROM (SELECT v, rank() OVER (PARTITION BY v ORDER BY w) AS r FROM t0) q WHERE q.r = 1;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_c1" FROM mere_scan_0 AS "t0" QUALIFY RANK() OVER (PARTITION BY "t0"."v" ORDER BY "t0"."w" ASC NULLS LAST) <= 1
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "q"."v" AS "v", "q"."r" AS "r" FROM (SELECT "mere_windows"."mere_k0" AS "v", RANK() OVER (PARTITION BY "mere_windows"."mere_k0" ORDER BY "mere_windows"."mere_c1" ASC NULLS LAST) AS "r" FROM mere_motion_1 AS "mere_windows") AS "q" WHERE "q"."r" = 1
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "r" AS "r" FROM mere_motion_2;

SELECT small.name, rank() OVER (ORDER BY k) AS r FROM small;
slice 1, one segment
  SELECT "small"."name" AS "name", RANK() OVER (ORDER BY "small"."k" ASC NULLS LAST) AS "r" FROM mere_scan_0 AS "small"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "name" AS "name", "r" AS "r" FROM mere_motion_1;

-- A limit on a rank leaves rows out before the windows bring them together.
-- hash, 3 segments
SELECT s.v, s.w, s.r FROM (SELECT v, w, rank() OVER (PARTITION BY v ORDER BY w) AS r FROM t0) s WHERE s.r <= 2;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_c1" FROM mere_scan_0 AS "t0" QUALIFY RANK() OVER (PARTITION BY "t0"."v" ORDER BY "t0"."w" ASC NULLS LAST) <= 2
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "s"."v" AS "v", "s"."w" AS "w", "s"."r" AS "r" FROM (SELECT "mere_windows"."mere_k0" AS "v", "mere_windows"."mere_c1" AS "w", RANK() OVER (PARTITION BY "mere_windows"."mere_k0" ORDER BY "mere_windows"."mere_c1" ASC NULLS LAST) AS "r" FROM mere_motion_1 AS "mere_windows") AS "s" WHERE "s"."r" <= 2
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w", "r" AS "r" FROM mere_motion_2;

SELECT s.v, s.n FROM (SELECT v, w, row_number() OVER (PARTITION BY v ORDER BY w, k, s) AS n FROM t0) s WHERE 3 > s.n AND s.v = 4;
slice 1, every segment
  SELECT "t0"."v" AS "mere_c0", "t0"."w" AS "mere_c1", "t0"."k" AS "mere_c2", "t0"."s" AS "mere_c3" FROM mere_scan_0 AS "t0" WHERE "t0"."v" = 4
  => mere_motion_1: Gather Motion
coordinator
  SELECT "s"."v" AS "v", "s"."n" AS "n" FROM (SELECT "mere_windows"."mere_c0" AS "v", ROW_NUMBER() OVER (PARTITION BY "mere_windows"."mere_c0" ORDER BY "mere_windows"."mere_c1" ASC NULLS LAST, "mere_windows"."mere_c2" ASC NULLS LAST, "mere_windows"."mere_c3" ASC NULLS LAST) AS "n" FROM mere_motion_1 AS "mere_windows") AS "s" WHERE 3 > "s"."n";

SELECT s.r, s.w FROM t1 JOIN (SELECT w, dense_rank() OVER (ORDER BY w DESC) AS r FROM t0) s ON s.w = t1.w WHERE s.r = 1;
slice 1, every segment
  SELECT "t0"."w" AS "mere_c0" FROM mere_scan_1 AS "t0" QUALIFY DENSE_RANK() OVER (ORDER BY "t0"."w" DESC NULLS FIRST) <= 1
  => mere_motion_1: Gather Motion
slice 2, one segment
  SELECT "s"."r" AS "r", "s"."w" AS "w" FROM (SELECT "mere_windows"."mere_c0" AS "w", DENSE_RANK() OVER (ORDER BY "mere_windows"."mere_c0" DESC NULLS FIRST) AS "r" FROM mere_motion_1 AS "mere_windows") AS "s" WHERE "s"."r" = 1
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "s"."r" AS "r", "s"."w" AS "w" FROM mere_scan_0 AS "t1" CROSS JOIN mere_motion_2 AS "s" WHERE "s"."w" = "t1"."w"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "r" AS "r", "w" AS "w" FROM mere_motion_3;

-- Rows that are left out must not count in another window.
SELECT s.v, s.n FROM (SELECT v, rank() OVER (PARTITION BY v ORDER BY w) AS r, count(*) OVER (PARTITION BY v) AS n FROM t0) s WHERE s.r <= 2;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_c1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "s"."v" AS "v", "s"."n" AS "n" FROM (SELECT "mere_windows"."mere_k0" AS "v", RANK() OVER (PARTITION BY "mere_windows"."mere_k0" ORDER BY "mere_windows"."mere_c1" ASC NULLS LAST) AS "r", COUNT(*) OVER (PARTITION BY "mere_windows"."mere_k0") AS "n" FROM mere_motion_1 AS "mere_windows") AS "s" WHERE "s"."r" <= 2
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

-- What only such rows had matched is left out all the same.
SELECT t1.k, s.r FROM t1 LEFT JOIN (SELECT v, w, rank() OVER (PARTITION BY v ORDER BY w) AS r FROM t0) s ON s.v = t1.v WHERE s.r <= 1;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_c1" FROM mere_scan_1 AS "t0" QUALIFY RANK() OVER (PARTITION BY "t0"."v" ORDER BY "t0"."w" ASC NULLS LAST) <= 1
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "t1"."k" AS "k", "t1"."v" AS "v" FROM mere_scan_0 AS "t1"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t1"."k" AS "k", "s"."r" AS "r" FROM mere_motion_2 AS "t1" LEFT JOIN (SELECT "mere_windows"."mere_k0" AS "v", RANK() OVER (PARTITION BY "mere_windows"."mere_k0" ORDER BY "mere_windows"."mere_c1" ASC NULLS LAST) AS "r" FROM mere_motion_1 AS "mere_windows") AS "s" ON "s"."v" = "t1"."v" WHERE "s"."r" <= 1
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "r" AS "r" FROM mere_motion_3;

-- A window over everything is no constant, though it reads no column.
SELECT s.v FROM (SELECT v, count(*) OVER () AS n FROM t0) s WHERE s.n = 30 AND s.v = 2;
slice 1, every segment
  SELECT "t0"."v" AS "mere_c0" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
slice 2, one segment
  SELECT "s"."v" AS "v" FROM (SELECT "mere_windows"."mere_c0" AS "v", COUNT(*) OVER () AS "n" FROM mere_motion_1 AS "mere_windows") AS "s" WHERE "s"."n" = 30 AND "s"."v" = 2
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_2;

SELECT s.v FROM (SELECT DISTINCT v, 'x' AS c, count(*) OVER (PARTITION BY v) AS n FROM t0) s WHERE s.c = 'x' AND s.v > 2;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0" FROM mere_scan_0 AS "t0" WHERE "t0"."v" > 2 AND 'x' = 'x' AND 'x' = 'x'
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "s"."v" AS "v" FROM (SELECT DISTINCT "mere_windows"."mere_k0" AS "v", 'x' AS "c", COUNT(*) OVER (PARTITION BY "mere_windows"."mere_k0") AS "n" FROM mere_motion_1 AS "mere_windows") AS "s"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_2;
