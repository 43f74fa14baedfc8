-- hash, 3 segments
-- A simple derived table is no block of its own: its filter reaches the scan that moves.
SELECT q.v, t1.w FROM (SELECT k, v, w FROM t0 WHERE s = 'a') q JOIN t1 ON q.v = t1.v WHERE q.w > 1;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."w" > 1 AND "t0"."s" = 'a'
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v", "t1"."w" AS "w" FROM mere_motion_1 AS "t0" CROSS JOIN mere_scan_1 AS "t1" WHERE "t0"."v" = "t1"."v"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_2;

-- An aggregated one is, and is joined where its groups lie.
SELECT t0.v, q.n FROM t0 JOIN (SELECT k, count(*) AS n FROM t1 GROUP BY k) q ON t0.k = q.k;
slice 1, every segment
  SELECT "t0"."v" AS "v", "q"."n" AS "n" FROM mere_scan_0 AS "t0" CROSS JOIN (SELECT "t1"."k" AS "k", COUNT(*) AS "n" FROM mere_scan_1 AS "t1" GROUP BY "t1"."k") AS "q" WHERE "t0"."k" = "q"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_1;

SELECT t0.v, q.n FROM t0 LEFT JOIN (SELECT v, sum(w) AS n FROM t1 GROUP BY v) q ON t0.v = q.v;
slice 1, every segment
  SELECT "t1"."v" AS "mere_k0", "t1"."w" AS "mere_a1" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t0"."v" AS "v", "q"."n" AS "n" FROM mere_motion_2 AS "t0" LEFT JOIN (SELECT "mere_rows"."mere_k0" AS "v", CAST(SUM("mere_rows"."mere_a1") AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0") AS "q" ON "t0"."v" = "q"."v"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_3;

-- A predicate on its keys is applied under the aggregate.
SELECT q.k, q.n FROM (SELECT k, count(*) AS n FROM t1 GROUP BY k) q WHERE q.k > 3;
slice 1, every segment
  SELECT "q"."k" AS "k", "q"."n" AS "n" FROM (SELECT "t1"."k" AS "k", COUNT(*) AS "n" FROM mere_scan_0 AS "t1" WHERE "t1"."k" > 3 GROUP BY "t1"."k") AS "q"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "n" AS "n" FROM mere_motion_1;

-- A limited one is one relation, pinned.
SELECT t0.v, q.v AS other FROM t0 JOIN (SELECT k, v FROM t1 ORDER BY k, v, w, s LIMIT 5) q ON t0.k = q.k;
slice 1, every segment
  SELECT "t1"."k" AS "k", "t1"."v" AS "v", "t1"."w" AS "mere_sort_0", "t1"."s" AS "mere_sort_1" FROM mere_scan_1 AS "t1" ORDER BY 1 ASC NULLS LAST, 2 ASC NULLS LAST, 3 ASC NULLS LAST, 4 ASC NULLS LAST LIMIT 5
  => mere_motion_1: Gather Motion, Merge Key: "k" ASC NULLS LAST, "v" ASC NULLS LAST, "mere_sort_0" ASC NULLS LAST, "mere_sort_1" ASC NULLS LAST
slice 2, one segment
  SELECT "q"."k" AS "k", "q"."v" AS "v" FROM (SELECT "mere_rows"."k" AS "k", "mere_rows"."v" AS "v" FROM mere_motion_1 AS "mere_rows" ORDER BY "mere_rows"."k" ASC NULLS LAST, "mere_rows"."v" ASC NULLS LAST, "mere_rows"."mere_sort_0" ASC NULLS LAST, "mere_rows"."mere_sort_1" ASC NULLS LAST LIMIT 5) AS "q"
  => mere_motion_2: Redistribute Motion, Hash Key: k [COALESCE((MURMUR3_32(CAST("k" AS BIGINT)) & 2147483647) % 16, 0)]
slice 3, every segment
  SELECT "t0"."v" AS "v", "q"."v" AS "other" FROM mere_scan_0 AS "t0" CROSS JOIN mere_motion_2 AS "q" WHERE "t0"."k" = "q"."k"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "other" AS "other" FROM mere_motion_3;

SELECT count(*) AS n FROM (SELECT k FROM t1 LIMIT 5) q;
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_0 AS "t1" LIMIT 5
  => mere_motion_1: Gather Motion
coordinator
  SELECT COUNT(*) AS "n" FROM (SELECT "k" AS "k" FROM mere_motion_1 LIMIT 5) AS "q";

SELECT max(q.n) AS n FROM (SELECT k, count(*) AS n FROM t1 GROUP BY k) q;
slice 1, every segment
  SELECT MAX("q"."n") AS "mere_p0" FROM (SELECT COUNT(*) AS "n" FROM mere_scan_0 AS "t1" GROUP BY "t1"."k") AS "q"
  => mere_motion_1: Gather Motion
coordinator
  SELECT MAX("mere_groups"."mere_p0") AS "n" FROM mere_motion_1 AS "mere_groups";

SELECT count(*) AS n FROM (SELECT k FROM t1 OFFSET 20) q;
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_0 AS "t1"
  => mere_motion_1: Gather Motion
slice 2, one segment
  SELECT COUNT(*) AS "n" FROM (SELECT "k" AS "k" FROM mere_motion_1 OFFSET 20) AS "q"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "n" AS "n" FROM mere_motion_2;
