-- hash, 3 segments
SELECT DISTINCT k FROM t0;
slice 1, every segment
  SELECT DISTINCT "t0"."k" AS "k" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_1;

SELECT DISTINCT v FROM t0;
slice 1, every segment
  SELECT DISTINCT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_distinct"."v" AS "v" FROM mere_motion_1 AS "mere_distinct"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v" FROM mere_motion_2;

SELECT DISTINCT v, w FROM t0;
slice 1, every segment
  SELECT DISTINCT "t0"."v" AS "v", "t0"."w" AS "w" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_distinct"."v" AS "v", "mere_distinct"."w" AS "w" FROM mere_motion_1 AS "mere_distinct"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_2;

SELECT DISTINCT v + w AS s FROM t0;
slice 1, every segment
  SELECT DISTINCT "t0"."v" + "t0"."w" AS "s" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: s [CAST(HASH(CAST("s" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_distinct"."s" AS "s" FROM mere_motion_1 AS "mere_distinct"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "s" AS "s" FROM mere_motion_2;

SELECT DISTINCT ON (v) v, w, k, s FROM t0 ORDER BY v, w, k, s;
slice 1, every segment
  SELECT DISTINCT ON ("t0"."v") "t0"."v" AS "v", "t0"."w" AS "w", "t0"."k" AS "k", "t0"."s" AS "s", "t0"."v" AS "mere_on_0" FROM mere_scan_0 AS "t0" ORDER BY 1 ASC NULLS LAST, 2 ASC NULLS LAST, 3 ASC NULLS LAST, 4 ASC NULLS LAST
  => mere_motion_1: Redistribute Motion, Hash Key: mere_on_0 [CAST(HASH(CAST("mere_on_0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT ON ("mere_distinct"."mere_on_0") "mere_distinct"."v" AS "v", "mere_distinct"."w" AS "w", "mere_distinct"."k" AS "k", "mere_distinct"."s" AS "s" FROM mere_motion_1 AS "mere_distinct" ORDER BY "mere_distinct"."v" ASC NULLS LAST, "mere_distinct"."w" ASC NULLS LAST, "mere_distinct"."k" ASC NULLS LAST, "mere_distinct"."s" ASC NULLS LAST
  => mere_motion_2: Gather Motion
coordinator
  SELECT "v" AS "v", "w" AS "w", "k" AS "k", "s" AS "s" FROM mere_motion_2 ORDER BY 1 ASC NULLS LAST, 2 ASC NULLS LAST, 3 ASC NULLS LAST, 4 ASC NULLS LAST;

SELECT DISTINCT ON (k) k, w, v, s FROM t0 ORDER BY k, w, v, s;
slice 1, every segment
  SELECT DISTINCT ON ("t0"."k") "t0"."k" AS "k", "t0"."w" AS "w", "t0"."v" AS "v", "t0"."s" AS "s" FROM mere_scan_0 AS "t0" ORDER BY 1 ASC NULLS LAST, 2 ASC NULLS LAST, 3 ASC NULLS LAST, 4 ASC NULLS LAST
  => mere_motion_1: Gather Motion
coordinator
  SELECT "k" AS "k", "w" AS "w", "v" AS "v", "s" AS "s" FROM mere_motion_1 ORDER BY 1 ASC NULLS LAST, 2 ASC NULLS LAST, 3 ASC NULLS LAST, 4 ASC NULLS LAST;

SELECT DISTINCT v FROM t0 ORDER BY v LIMIT 3;
slice 1, every segment
  SELECT DISTINCT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT DISTINCT "mere_distinct"."v" AS "v" FROM mere_motion_1 AS "mere_distinct" ORDER BY 1 ASC NULLS LAST LIMIT 3
  => mere_motion_2: Gather Motion, Merge Key: "v" ASC NULLS LAST
coordinator
  SELECT "v" AS "v" FROM mere_motion_2 ORDER BY 1 ASC NULLS LAST LIMIT 3;

SELECT DISTINCT small.name FROM small;
slice 1, one segment
  SELECT DISTINCT "small"."name" AS "name" FROM mere_scan_0 AS "small"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "name" AS "name" FROM mere_motion_1;
