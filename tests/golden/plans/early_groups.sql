-- hash, 3 segments
-- stated t0 5e7
-- What is summed anyway is summed in part before it moves.
SELECT t0.k, count(big.s) AS n FROM t0 LEFT JOIN big ON t0.k = big.v GROUP BY t0.k;
slice 1, every segment
  SELECT "big"."v" AS "v", COUNT("big"."s") AS "mere_e0" FROM mere_scan_1 AS "big" GROUP BY "big"."v"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32("v") & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t0"."k" AS "k", CAST(COALESCE(SUM("big"."mere_e0"), 0) AS BIGINT) AS "n" FROM mere_scan_0 AS "t0" LEFT JOIN mere_motion_1 AS "big" ON "t0"."k" = "big"."v" GROUP BY "t0"."k"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "n" AS "n" FROM mere_motion_2;

SELECT t0.s, count(*), sum(big.n), avg(big.n), min(big.d), max(big.n) FROM t0 JOIN big ON t0.v = big.v GROUP BY t0.s;
slice 1, every segment
  SELECT "t0"."s" AS "s", "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "big"."v" AS "v", COUNT(*) AS "mere_e0", SUM("big"."n") AS "mere_e1", COUNT("big"."n") AS "mere_e2", MIN("big"."d") AS "mere_e3", MAX("big"."n") AS "mere_e4" FROM mere_scan_1 AS "big" GROUP BY "big"."v"
  => mere_motion_2: Redistribute Motion, Hash Key: v [CAST(HASH("v") % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "t0"."s" AS "mere_k0", SUM("big"."mere_e0") AS "mere_p1", SUM("big"."mere_e1") AS "mere_p2", SUM("big"."mere_e2") AS "mere_p3", MIN("big"."mere_e3") AS "mere_p4", MAX("big"."mere_e4") AS "mere_p5" FROM mere_motion_1 AS "t0" CROSS JOIN mere_motion_2 AS "big" WHERE "t0"."v" = "big"."v" GROUP BY "t0"."s"
  => mere_motion_3: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH("mere_k0") % 2147483647 AS BIGINT)]
slice 4, every segment
  SELECT "mere_groups"."mere_k0" AS "s", CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT) AS "count", SUM("mere_groups"."mere_p2") AS "sum", MERE_AVG(SUM("mere_groups"."mere_p2"), CAST(COALESCE(SUM("mere_groups"."mere_p3"), 0) AS BIGINT)) AS "avg", MIN("mere_groups"."mere_p4") AS "min", MAX("mere_groups"."mere_p5") AS "max" FROM mere_motion_3 AS "mere_groups" GROUP BY "mere_groups"."mere_k0"
  => mere_motion_4: Gather Motion
coordinator passes on
  SELECT "s" AS "s", "count" AS "count", "sum" AS "sum", "avg" AS "avg", "min" AS "min", "max" AS "max" FROM mere_motion_4;

-- A row without a match counts as one.
SELECT t0.k, count(*), sum(big.n) FROM t0 LEFT JOIN big ON t0.k = big.v GROUP BY t0.k;
slice 1, every segment
  SELECT "big"."n" AS "n", "big"."v" AS "v" FROM mere_scan_1 AS "big"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32("v") & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t0"."k" AS "k", COUNT(*) AS "count", SUM("big"."n") AS "sum" FROM mere_scan_0 AS "t0" LEFT JOIN mere_motion_1 AS "big" ON "t0"."k" = "big"."v" GROUP BY "t0"."k"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "count" AS "count", "sum" AS "sum" FROM mere_motion_2;

-- What is read elsewhere stays apart.
SELECT t0.k, big.s, sum(big.n) FILTER (WHERE big.n > 0) AS n FROM t0 JOIN big ON t0.k = big.v AND t0.w < big.k GROUP BY t0.k, big.s HAVING count(big.d) > 1 ORDER BY max(big.n), 1, 2 LIMIT 5;
slice 1, every segment
  SELECT "big"."d" AS "d", "big"."k" AS "k", "big"."n" AS "n", "big"."s" AS "s", "big"."v" AS "v" FROM mere_scan_1 AS "big"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32("v") & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t0"."k" AS "k", "big"."s" AS "s", SUM("big"."n") FILTER(WHERE "big"."n" > 0) AS "n", MAX("big"."n") AS "mere_sort_0" FROM mere_scan_0 AS "t0" CROSS JOIN mere_motion_1 AS "big" WHERE "t0"."k" = "big"."v" AND "t0"."w" < "big"."k" GROUP BY "t0"."k", "big"."s" HAVING COUNT("big"."d") > 1 ORDER BY 4 ASC NULLS LAST, 1 ASC NULLS LAST, 2 ASC NULLS LAST LIMIT 5
  => mere_motion_2: Gather Motion, Merge Key: "mere_sort_0" ASC NULLS LAST, "k" ASC NULLS LAST, "s" ASC NULLS LAST
coordinator
  SELECT "mere_rows"."k" AS "k", "mere_rows"."s" AS "s", "mere_rows"."n" AS "n" FROM mere_motion_2 AS "mere_rows" ORDER BY "mere_rows"."mere_sort_0" ASC NULLS LAST, "mere_rows"."k" ASC NULLS LAST, "mere_rows"."s" ASC NULLS LAST LIMIT 5;

-- Each value of a DISTINCT aggregate moves; those of both sides cannot be summed in part on one.
SELECT t0.k, count(DISTINCT big.s) FROM t0 JOIN big ON t0.k = big.v GROUP BY t0.k;
slice 1, every segment
  SELECT "t0"."k" AS "k" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."k" AS "mere_k0", "big"."s" AS "mere_d1" FROM mere_motion_1 AS "t0" CROSS JOIN mere_scan_1 AS "big" WHERE "t0"."k" = "big"."v" GROUP BY "t0"."k", "big"."s"
  => mere_motion_2: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "mere_groups"."mere_k0" AS "k", COUNT(DISTINCT "mere_groups"."mere_d1") AS "count" FROM mere_motion_2 AS "mere_groups" GROUP BY "mere_groups"."mere_k0"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "count" AS "count" FROM mere_motion_3;

SELECT t0.k, sum(big.n), sum(t0.w) FROM t0 JOIN big ON t0.k = big.v GROUP BY t0.k;
slice 1, every segment
  SELECT "big"."n" AS "n", "big"."v" AS "v" FROM mere_scan_1 AS "big"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32("v") & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t0"."k" AS "k", SUM("big"."n") AS "sum", CAST(SUM("t0"."w") AS BIGINT) AS "sum_1" FROM mere_scan_0 AS "t0" CROSS JOIN mere_motion_1 AS "big" WHERE "t0"."k" = "big"."v" GROUP BY "t0"."k"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "sum" AS "sum", "sum_1" AS "sum_1" FROM mere_motion_2;

-- Without groups, above conditions on rows, and below windows.
SELECT sum(big.n), count(big.s) FROM t1 JOIN big ON t1.k = big.v WHERE EXISTS (SELECT 1 FROM t2 WHERE t2.k = big.k);
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_0 AS "t1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT SUM("big"."n") AS "mere_p0", COUNT("big"."s") AS "mere_p1" FROM mere_motion_1 AS "t1" CROSS JOIN mere_scan_1 AS "big" WHERE "t1"."k" = "big"."v" AND EXISTS(SELECT 1 AS "mere_nothing" FROM mere_scan_2 AS "t2" WHERE "t2"."k" = "big"."k")
  => mere_motion_2: Gather Motion
coordinator
  SELECT SUM("mere_groups"."mere_p0") AS "sum", CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT) AS "count" FROM mere_motion_2 AS "mere_groups";

SELECT t0.k, sum(sum(big.n)) OVER (ORDER BY t0.k) FROM t0 LEFT JOIN big ON t0.k = big.v WHERE t0.w IS NOT NULL GROUP BY t0.k;
slice 1, every segment
  SELECT "big"."v" AS "v", SUM("big"."n") AS "mere_e0" FROM mere_scan_1 AS "big" GROUP BY "big"."v"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32("v") & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t0"."k" AS "mere_c0", SUM("big"."mere_e0") AS "mere_c1" FROM mere_scan_0 AS "t0" LEFT JOIN mere_motion_1 AS "big" ON "t0"."k" = "big"."v" WHERE NOT "t0"."w" IS NULL GROUP BY "t0"."k"
  => mere_motion_2: Gather Motion
slice 3, one segment
  SELECT "mere_windows"."mere_c0" AS "k", SUM("mere_windows"."mere_c1") OVER (ORDER BY "mere_windows"."mere_c0" ASC NULLS LAST) AS "sum" FROM mere_motion_2 AS "mere_windows"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "sum" AS "sum" FROM mere_motion_3;

SELECT t0.k, t0.s, sum(big.n) FROM t0 JOIN big ON t0.k = big.v GROUP BY ROLLUP (t0.k, t0.s);
slice 1, every segment
  SELECT "big"."v" AS "v", SUM("big"."n") AS "mere_e0" FROM mere_scan_1 AS "big" GROUP BY "big"."v"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32("v") & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "mere_k0", "mere_rows"."mere_k1" AS "mere_k1", GROUPING("mere_rows"."mere_k0", "mere_rows"."mere_k1") AS "mere_set", SUM("mere_rows"."mere_a0") AS "mere_p0" FROM (SELECT "t0"."k" AS "mere_k0", "t0"."s" AS "mere_k1", "big"."mere_e0" AS "mere_a0" FROM mere_scan_0 AS "t0" CROSS JOIN mere_motion_1 AS "big" WHERE "t0"."k" = "big"."v") AS "mere_rows" GROUP BY GROUPING SETS (("mere_rows"."mere_k0", "mere_rows"."mere_k1"), ("mere_rows"."mere_k0"), ())
  => mere_motion_2: Redistribute Motion, Hash Key: mere_set, mere_k0, mere_k1 [CAST(HASH("mere_set", CAST("mere_k0" AS BIGINT), "mere_k1") % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "mere_groups"."mere_k0" AS "k", "mere_groups"."mere_k1" AS "s", SUM("mere_groups"."mere_p0") AS "sum" FROM mere_motion_2 AS "mere_groups" GROUP BY "mere_groups"."mere_set", "mere_groups"."mere_k0", "mere_groups"."mere_k1"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "s" AS "s", "sum" AS "sum" FROM mere_motion_3;
