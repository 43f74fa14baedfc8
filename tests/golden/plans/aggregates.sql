-- hash, 3 segments
-- The groups are complete where their rows lie.
SELECT k, count(*) AS n, sum(v) AS s FROM t0 GROUP BY k;
slice 1, every segment
  SELECT "t0"."k" AS "k", COUNT(*) AS "n", CAST(SUM("t0"."v") AS BIGINT) AS "s" FROM mere_scan_0 AS "t0" GROUP BY "t0"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "n" AS "n", "s" AS "s" FROM mere_motion_1;

SELECT k, s, max(v) AS m, string_agg(s, ',' ORDER BY s) AS l FROM t0 GROUP BY k, s;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t0"."s" AS "s", MAX("t0"."v") AS "m", STRING_AGG("t0"."s", ',' ORDER BY "t0"."s" ASC NULLS LAST) AS "l" FROM mere_scan_0 AS "t0" GROUP BY "t0"."k", "t0"."s"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "s" AS "s", "m" AS "m", "l" AS "l" FROM mere_motion_1;

-- They are not: partial, then final.
SELECT v, count(*) AS n, count(w) AS c, sum(w) AS s, min(w) AS i, max(s) AS a FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1", "t0"."s" AS "mere_a2" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", COUNT(*) AS "n", COUNT("mere_rows"."mere_a1") AS "c", CAST(SUM("mere_rows"."mere_a1") AS BIGINT) AS "s", MIN("mere_rows"."mere_a1") AS "i", MAX("mere_rows"."mere_a2") AS "a" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n", "c" AS "c", "s" AS "s", "i" AS "i", "a" AS "a" FROM mere_motion_2;

SELECT v, avg(w) AS a, stddev(w) AS d, var_pop(w) AS p, stddev_pop(w) AS e FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1", CAST("t0"."w" AS DOUBLE) AS "mere_a2" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", MERE_AVG(CAST(SUM("mere_rows"."mere_a1") AS DECIMAL(38,0)), COUNT("mere_rows"."mere_a1")) AS "a", STDDEV_SAMP("mere_rows"."mere_a2") AS "d", VAR_POP("mere_rows"."mere_a2") AS "p", STDDEV_POP("mere_rows"."mere_a2") AS "e" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "a" AS "a", "d" AS "d", "p" AS "p", "e" AS "e" FROM mere_motion_2;

SELECT v, bool_and(w > 1) AS a, bool_or(w > 5) AS o, bit_or(w) AS b, every(w > 0) AS e FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" > 1 AS "mere_a1", "t0"."w" > 5 AS "mere_a2", "t0"."w" AS "mere_a3", "t0"."w" > 0 AS "mere_a4" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", BOOL_AND("mere_rows"."mere_a1") AS "a", BOOL_OR("mere_rows"."mere_a2") AS "o", CAST(BIT_OR("mere_rows"."mere_a3") AS INTEGER) AS "b", BOOL_AND("mere_rows"."mere_a4") AS "e" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "a" AS "a", "o" AS "o", "b" AS "b", "e" AS "e" FROM mere_motion_2;

SELECT v, count(*) FILTER (WHERE w > 2) AS n, sum(w) FILTER (WHERE s = 'a') AS s FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" > 2 AS "mere_a1", "t0"."w" AS "mere_a2", "t0"."s" = 'a' AS "mere_a3" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", COUNT(*) FILTER(WHERE "mere_rows"."mere_a1") AS "n", CAST(SUM("mere_rows"."mere_a2") FILTER(WHERE "mere_rows"."mere_a3") AS BIGINT) AS "s" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n", "s" AS "s" FROM mere_motion_2;

SELECT v % 2 AS parity, sum(n) AS n FROM big GROUP BY 1;
slice 1, every segment
  SELECT "big"."v" % 2 AS "mere_k0", SUM("big"."n") AS "mere_p1" FROM mere_scan_0 AS "big" GROUP BY "big"."v" % 2
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH("mere_k0") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_k0" AS "parity", SUM("mere_groups"."mere_p1") AS "n" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "parity" AS "parity", "n" AS "n" FROM mere_motion_2;

-- Without groups there is always one row.
SELECT count(*) AS n, sum(v) AS s, min(s) AS m FROM t0;
slice 1, every segment
  SELECT COUNT(*) AS "mere_p0", SUM("t0"."v") AS "mere_p1", MIN("t0"."s") AS "mere_p2" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n", CAST(SUM("mere_groups"."mere_p1") AS BIGINT) AS "s", MIN("mere_groups"."mere_p2") AS "m" FROM mere_motion_1 AS "mere_groups";

SELECT count(*) AS n, sum(v) AS s FROM empty;
slice 1, one segment
  SELECT COUNT(*) AS "n", CAST(SUM("empty"."v") AS BIGINT) AS "s" FROM mere_scan_0 AS "empty"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "n" AS "n", "s" AS "s" FROM mere_motion_1;

SELECT count(*) AS n FROM t0 WHERE v = 77 HAVING count(*) > 0;
slice 1, every segment
  SELECT COUNT(*) AS "mere_p0" FROM mere_scan_0 AS "t0" WHERE "t0"."v" = 77
  => mere_motion_1: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_groups" HAVING CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) > 0;

SELECT count(*) AS n FROM t0 HAVING sum(v) > 3;
slice 1, every segment
  SELECT COUNT(*) AS "mere_p0", SUM("t0"."v") AS "mere_p1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_groups" HAVING CAST(SUM("mere_groups"."mere_p1") AS BIGINT) > 3;

-- What does not split sees all rows of its group in one place.
SELECT v, string_agg(s, '' ORDER BY s) AS l, array_agg(w ORDER BY w) AS a FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."s" AS "mere_a1", "t0"."w" AS "mere_a2" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", STRING_AGG("mere_rows"."mere_a1", '' ORDER BY "mere_rows"."mere_a1" ASC NULLS LAST) AS "l", LIST("mere_rows"."mere_a2" ORDER BY "mere_rows"."mere_a2" ASC NULLS LAST) AS "a" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "l" AS "l", "a" AS "a" FROM mere_motion_2;

SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY w) AS m FROM t0;
slice 1, every segment
  SELECT CAST("t0"."w" AS DOUBLE) AS "mere_a0" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
slice 2, one segment
  SELECT QUANTILE_CONT("mere_rows"."mere_a0", CAST(0.5 AS DOUBLE)) AS "m" FROM mere_motion_1 AS "mere_rows"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "m" AS "m" FROM mere_motion_2;

SELECT v, percentile_disc(0.5) WITHIN GROUP (ORDER BY w) AS m, count(*) AS n FROM t0 GROUP BY v;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", QUANTILE_DISC("mere_rows"."mere_a1", CAST(0.5 AS DOUBLE)) AS "m", COUNT(*) AS "n" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "m" AS "m", "n" AS "n" FROM mere_motion_2;

-- HAVING, and expressions of aggregates and keys.
SELECT v + 1 AS v1, sum(w) * 2 + count(*) AS x FROM t0 GROUP BY v HAVING max(w) > 3;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" + 1 AS "v1", (CAST(SUM("mere_rows"."mere_a1") AS BIGINT) * 2) + COUNT(*) AS "x" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0" HAVING MAX("mere_rows"."mere_a1") > 3
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v1" AS "v1", "x" AS "x" FROM mere_motion_2;

SELECT sum(n) / count(*) AS q, avg(n) AS a, sum(n * 2) AS d FROM big;
slice 1, every segment
  SELECT SUM("big"."n") AS "mere_p0", COUNT(*) AS "mere_p1", COUNT("big"."n") AS "mere_p2", SUM("big"."n" * 2) AS "mere_p3" FROM mere_scan_0 AS "big"
  => mere_motion_1: Gather Motion
coordinator
  SELECT MERE_DIV(SUM("mere_groups"."mere_p0"), CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT)) AS "q", MERE_AVG(SUM("mere_groups"."mere_p0"), CAST(COALESCE(SUM("mere_groups"."mere_p2"), 0) AS BIGINT)) AS "a", SUM("mere_groups"."mere_p3") AS "d" FROM mere_motion_1 AS "mere_groups";

-- Groups over a join, by a key of its class and by another.
SELECT t0.k, sum(t1.w) AS s FROM t0 JOIN t1 ON t0.k = t1.k GROUP BY t0.k;
slice 1, every segment
  SELECT "t0"."k" AS "k", CAST(SUM("t1"."w") AS BIGINT) AS "s" FROM mere_scan_0 AS "t0" CROSS JOIN mere_scan_1 AS "t1" WHERE "t0"."k" = "t1"."k" GROUP BY "t0"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "s" AS "s" FROM mere_motion_1;

SELECT t1.k, sum(t0.w) AS s FROM t0 JOIN t1 ON t0.k = t1.k GROUP BY t1.k, t0.s;
slice 1, every segment
  SELECT "t1"."k" AS "k", CAST(SUM("t0"."w") AS BIGINT) AS "s" FROM mere_scan_0 AS "t0" CROSS JOIN mere_scan_1 AS "t1" WHERE "t0"."k" = "t1"."k" GROUP BY "t1"."k", "t0"."s"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "s" AS "s" FROM mere_motion_1;

SELECT t0.s, sum(t1.w) AS s FROM t0 JOIN t1 ON t0.k = t1.k GROUP BY t0.s;
slice 1, every segment
  SELECT "t0"."s" AS "mere_k0", SUM("t1"."w") AS "mere_p1" FROM mere_scan_0 AS "t0" CROSS JOIN mere_scan_1 AS "t1" WHERE "t0"."k" = "t1"."k" GROUP BY "t0"."s"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH("mere_k0") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_k0" AS "s", CAST(SUM("mere_groups"."mere_p1") AS BIGINT) AS "s_1" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "s" AS "s", "s_1" AS "s_1" FROM mere_motion_2;

-- Floats: NULL, NaN and both zeros are groups as on the whole.
SELECT f + 0 AS f, count(*) AS n FROM other GROUP BY 1;
slice 1, every segment
  SELECT MERE_FLOAT_ADD("other"."f", CAST('0' AS DOUBLE)) AS "mere_k0", COUNT(*) AS "mere_p1" FROM mere_scan_0 AS "other" GROUP BY MERE_FLOAT_ADD("other"."f", CAST('0' AS DOUBLE))
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH("mere_k0") % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_groups"."mere_k0" AS "f", CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_groups" GROUP BY "mere_groups"."mere_k0"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "f" AS "f", "n" AS "n" FROM mere_motion_2;

-- corr and regr
SELECT round(corr(v, w)::numeric, 6) AS c, round(regr_slope(v, w)::numeric, 6) AS r, regr_count(v, w) AS n FROM t0;
slice 1, every segment
  SELECT CAST(REGR_COUNT(CAST("t0"."v" AS DOUBLE), CAST("t0"."w" AS DOUBLE)) AS DOUBLE) AS "mere_p0", REGR_AVGX(CAST("t0"."v" AS DOUBLE), CAST("t0"."w" AS DOUBLE)) AS "mere_p1", REGR_AVGY(CAST("t0"."v" AS DOUBLE), CAST("t0"."w" AS DOUBLE)) AS "mere_p2", REGR_SXX(CAST("t0"."v" AS DOUBLE), CAST("t0"."w" AS DOUBLE)) AS "mere_p3", REGR_SYY(CAST("t0"."v" AS DOUBLE), CAST("t0"."w" AS DOUBLE)) AS "mere_p4", REGR_SXY(CAST("t0"."v" AS DOUBLE), CAST("t0"."w" AS DOUBLE)) AS "mere_p5" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator
  SELECT CAST(ROUND(CAST(MERE_FLOAT_TEXT(MERE_UNLESS_NAN(MERE_CORR(LIST(LIST_VALUE("mere_groups"."mere_p0", "mere_groups"."mere_p1", "mere_groups"."mere_p2", "mere_groups"."mere_p3", "mere_groups"."mere_p4", "mere_groups"."mere_p5")) FILTER(WHERE "mere_groups"."mere_p0" > 0)))) AS DECIMAL(38,15)), 6) AS DECIMAL(38,6)) AS "c", CAST(ROUND(CAST(MERE_FLOAT_TEXT(MERE_UNLESS_NAN(MERE_REGR_SLOPE(LIST(LIST_VALUE("mere_groups"."mere_p0", "mere_groups"."mere_p1", "mere_groups"."mere_p2", "mere_groups"."mere_p3", "mere_groups"."mere_p4", "mere_groups"."mere_p5")) FILTER(WHERE "mere_groups"."mere_p0" > 0)))) AS DECIMAL(38,15)), 6) AS DECIMAL(38,6)) AS "r", CAST(MERE_REGR_COUNT(LIST(LIST_VALUE("mere_groups"."mere_p0", "mere_groups"."mere_p1", "mere_groups"."mere_p2", "mere_groups"."mere_p3", "mere_groups"."mere_p4", "mere_groups"."mere_p5")) FILTER(WHERE "mere_groups"."mere_p0" > 0)) AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_groups";

-- replicated, 3 segments
SELECT v, count(*) AS n FROM t0 GROUP BY v;
slice 1, one segment
  SELECT "t0"."v" AS "v", COUNT(*) AS "n" FROM mere_scan_0 AS "t0" GROUP BY "t0"."v"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_1;
