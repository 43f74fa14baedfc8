-- hash, 3 segments
SELECT t0.v, q.n FROM t0 CROSS JOIN LATERAL (SELECT count(*) AS n FROM t1 WHERE t1.k = t0.k) q;
slice 1, every segment
  SELECT "t0"."v" AS "v", "q"."n" AS "n" FROM mere_scan_0 AS "t0" CROSS JOIN LATERAL (SELECT COUNT(*) AS "n" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "t0"."k") AS "q"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_1;

SELECT t0.v, q.w FROM t0 LEFT JOIN LATERAL (SELECT t1.w FROM t1 WHERE t1.k = t0.k ORDER BY t1.w, t1.v LIMIT 1) q ON true;
slice 1, every segment
  SELECT "t0"."v" AS "v", "q"."w" AS "w" FROM mere_scan_0 AS "t0" LEFT JOIN LATERAL (SELECT "t1"."w" AS "w" FROM mere_scan_1 AS "t1" WHERE "t1"."k" = "t0"."k" ORDER BY 1 ASC NULLS LAST, "t1"."v" ASC NULLS LAST LIMIT 1) AS "q" ON TRUE
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_1;

SELECT t0.v, q.w FROM t0 CROSS JOIN LATERAL (SELECT t1.w FROM t1 WHERE t1.v < t0.v) q;
slice 1, every segment
  SELECT "t1"."v" AS "v", "t1"."w" AS "w" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v", "q"."w" AS "w" FROM mere_scan_0 AS "t0" CROSS JOIN LATERAL (SELECT "t1"."w" AS "w" FROM mere_motion_1 AS "t1" WHERE "t1"."v" < "t0"."v") AS "q"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_2;
