-- hash, 3 segments
-- What may differ from run to run runs once, whole.
SELECT count(*) AS n FROM t0 WHERE random() < 2;
whole: a volatile function gives another answer each time
slice 1, one segment
  SELECT COUNT(*) AS "n" FROM mere_scan_0 AS "t0" WHERE RANDOM() < CAST('2' AS DOUBLE)
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "n" AS "n" FROM mere_motion_1;

-- No table at all.
SELECT 1 AS one, 'x' AS x;
coordinator
  SELECT 1 AS "one", 'x' AS "x";

SELECT 1 AS one WHERE false;
coordinator
  SELECT 1 AS "one" WHERE FALSE;

SELECT v.a, t0.v FROM (VALUES (1), (2)) v(a) JOIN t0 ON t0.k = v.a;
whole: Values in FROM
slice 1, one segment
  SELECT "v"."column1" AS "a", "t0"."v" AS "v" FROM (SELECT "mere_values"."column1" AS "column1" FROM (VALUES (1), (2)) AS "mere_values"("column1")) AS "v" JOIN mere_scan_0 AS "t0" ON "t0"."k" = "v"."column1"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "a" AS "a", "v" AS "v" FROM mere_motion_1;

SELECT count(*) AS n FROM generate_series(1, 10) g JOIN t0 ON t0.k = g;
slice 1, every segment
  SELECT COUNT(*) AS "mere_p0" FROM (SELECT UNNEST(CAST(GENERATE_SERIES(1, 10) AS INTEGER[])) AS "mere_element") AS "g_rows" CROSS JOIN mere_scan_0 AS "t0" WHERE "t0"."k" = mere_element
  => mere_motion_1: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_groups";

SELECT g.g FROM generate_series(1, 3) g(g);
coordinator
  SELECT mere_element AS "g" FROM (SELECT UNNEST(CAST(GENERATE_SERIES(1, 3) AS INTEGER[])) AS "mere_element") AS "g_rows";

-- A false condition, and an empty table.
SELECT t0.v FROM t0 WHERE false;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE FALSE AND FALSE
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_1;

SELECT t0.v, empty.v AS e FROM t0 LEFT JOIN empty ON t0.k = empty.k;
slice 1, every segment (all of mere_scan_1)
  SELECT "t0"."v" AS "v", "empty"."v" AS "e" FROM mere_scan_0 AS "t0" LEFT JOIN mere_scan_1 AS "empty" ON "t0"."k" = "empty"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "e" AS "e" FROM mere_motion_1;

SELECT t0.v FROM t0 JOIN empty ON t0.k = empty.k;
slice 1, every segment (all of mere_scan_1)
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" CROSS JOIN mere_scan_1 AS "empty" WHERE "t0"."k" = "empty"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_1;
