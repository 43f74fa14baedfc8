-- hash, 3 segments
SELECT k, v FROM t0 ORDER BY v, k DESC;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator
  SELECT "k" AS "k", "v" AS "v" FROM mere_motion_1 ORDER BY 2 ASC NULLS LAST, 1 DESC NULLS FIRST;

SELECT k, v FROM t0 ORDER BY v DESC NULLS LAST, k, w, s LIMIT 3;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t0"."v" AS "v", "t0"."w" AS "mere_sort_0", "t0"."s" AS "mere_sort_1" FROM mere_scan_0 AS "t0" ORDER BY 2 DESC NULLS LAST, 1 ASC NULLS LAST, 3 ASC NULLS LAST, 4 ASC NULLS LAST LIMIT 3
  => mere_motion_1: Gather Motion, Merge Key: "v" DESC NULLS LAST, "k" ASC NULLS LAST, "mere_sort_0" ASC NULLS LAST, "mere_sort_1" ASC NULLS LAST
coordinator
  SELECT "mere_rows"."k" AS "k", "mere_rows"."v" AS "v" FROM mere_motion_1 AS "mere_rows" ORDER BY "mere_rows"."v" DESC NULLS LAST, "mere_rows"."k" ASC NULLS LAST, "mere_rows"."mere_sort_0" ASC NULLS LAST, "mere_rows"."mere_sort_1" ASC NULLS LAST LIMIT 3;

SELECT k, v FROM t0 ORDER BY k, v, w LIMIT 3 OFFSET 4;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t0"."v" AS "v", "t0"."w" AS "mere_sort_0" FROM mere_scan_0 AS "t0" ORDER BY 1 ASC NULLS LAST, 2 ASC NULLS LAST, 3 ASC NULLS LAST LIMIT 7
  => mere_motion_1: Gather Motion, Merge Key: "k" ASC NULLS LAST, "v" ASC NULLS LAST, "mere_sort_0" ASC NULLS LAST
coordinator
  SELECT "mere_rows"."k" AS "k", "mere_rows"."v" AS "v" FROM mere_motion_1 AS "mere_rows" ORDER BY "mere_rows"."k" ASC NULLS LAST, "mere_rows"."v" ASC NULLS LAST, "mere_rows"."mere_sort_0" ASC NULLS LAST LIMIT 3 OFFSET 4;

SELECT v FROM t0 ORDER BY v OFFSET 4;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator
  SELECT "v" AS "v" FROM mere_motion_1 ORDER BY 1 ASC NULLS LAST OFFSET 4;

SELECT v FROM t0 ORDER BY w + v, v LIMIT 5;
slice 1, every segment
  SELECT "t0"."v" AS "v", "t0"."w" + "t0"."v" AS "mere_sort_0" FROM mere_scan_0 AS "t0" ORDER BY 2 ASC NULLS LAST, 1 ASC NULLS LAST LIMIT 5
  => mere_motion_1: Gather Motion, Merge Key: "mere_sort_0" ASC NULLS LAST, "v" ASC NULLS LAST
coordinator
  SELECT "mere_rows"."v" AS "v" FROM mere_motion_1 AS "mere_rows" ORDER BY "mere_rows"."mere_sort_0" ASC NULLS LAST, "mere_rows"."v" ASC NULLS LAST LIMIT 5;

SELECT v, sum(w) AS s FROM t0 GROUP BY v ORDER BY s DESC, v LIMIT 2;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "mere_rows"."mere_k0" AS "v", CAST(SUM("mere_rows"."mere_a1") AS BIGINT) AS "s" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0" ORDER BY 2 DESC NULLS FIRST, 1 ASC NULLS LAST LIMIT 2
  => mere_motion_2: Gather Motion, Merge Key: "s" DESC NULLS FIRST, "v" ASC NULLS LAST
coordinator
  SELECT "v" AS "v", "s" AS "s" FROM mere_motion_2 ORDER BY 2 DESC NULLS FIRST, 1 ASC NULLS LAST LIMIT 2;

SELECT v FROM t0 ORDER BY v FETCH FIRST 2 ROWS WITH TIES;
slice 1, every segment
  SELECT "t0"."v" AS "mere_c0" FROM mere_scan_0 AS "t0" QUALIFY RANK() OVER (ORDER BY "t0"."v" ASC NULLS LAST) <= 2
  => mere_motion_1: Gather Motion
slice 2, one segment
  SELECT "mere_windows"."mere_c0" AS "v" FROM mere_motion_1 AS "mere_windows" QUALIFY RANK() OVER (ORDER BY "mere_windows"."mere_c0" ASC NULLS LAST) <= 2
  => mere_motion_2: Gather Motion
coordinator
  SELECT "v" AS "v" FROM mere_motion_2 ORDER BY 1 ASC NULLS LAST;

SELECT t0.v FROM t0 LIMIT 0;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" LIMIT 0
  => mere_motion_1: Gather Motion
coordinator
  SELECT "v" AS "v" FROM mere_motion_1 LIMIT 0;

SELECT small.name FROM small ORDER BY name DESC, k LIMIT 2;
slice 1, one segment
  SELECT "small"."name" AS "name", "small"."k" AS "mere_sort_0" FROM mere_scan_0 AS "small" ORDER BY 1 DESC NULLS FIRST, 2 ASC NULLS LAST LIMIT 2
  => mere_motion_1: Gather Motion, Merge Key: "name" DESC NULLS FIRST, "mere_sort_0" ASC NULLS LAST
coordinator
  SELECT "mere_rows"."name" AS "name" FROM mere_motion_1 AS "mere_rows" ORDER BY "mere_rows"."name" DESC NULLS FIRST, "mere_rows"."mere_sort_0" ASC NULLS LAST LIMIT 2;

-- Any five rows, but five.
SELECT count(*) AS n FROM (SELECT v FROM t0 LIMIT 5) q;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" LIMIT 5
  => mere_motion_1: Gather Motion
coordinator
  SELECT COUNT(*) AS "n" FROM (SELECT "v" AS "v" FROM mere_motion_1 LIMIT 5) AS "q";
