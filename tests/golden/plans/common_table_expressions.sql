-- hash, 3 segments
-- Used once: inlined.
WITH q AS (SELECT k, v FROM t0 WHERE w > 2) SELECT q.v, t1.w FROM q JOIN t1 ON q.k = t1.k;
slice 1, every segment
  SELECT "t0"."v" AS "v", "t1"."w" AS "w" FROM mere_scan_0 AS "t0" CROSS JOIN mere_scan_1 AS "t1" WHERE "t0"."w" > 2 AND "t0"."k" = "t1"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_1;

-- Used twice: made once.
WITH q AS (SELECT k, sum(w) AS n FROM t0 GROUP BY k) SELECT a.k, b.n FROM q a JOIN q b ON a.k = b.k + 1;
slice 1, every segment
  SELECT "k" AS "k", "n" AS "n", $mere_share AS "mere_stays" FROM (SELECT "t0"."k" AS "k", CAST(SUM("t0"."w") AS BIGINT) AS "n" FROM mere_scan_0 AS "t0" GROUP BY "t0"."k") AS mere_all
  => mere_motion_1: Redistribute Motion, Hash Key:  ["mere_stays"]
slice 2, every segment
  SELECT "a"."k" AS "k" FROM mere_motion_1 AS "a"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "a"."k" AS "k", "b"."n" AS "n" FROM mere_motion_2 AS "a" CROSS JOIN mere_motion_1 AS "b" WHERE "a"."k" = ("b"."k" + 1)
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "n" AS "n" FROM mere_motion_3;

WITH q AS (SELECT v, sum(w) AS n FROM t0 GROUP BY v) SELECT v, n FROM q WHERE n = (SELECT max(n) FROM q);
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_a1" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "v" AS "v", "n" AS "n", $mere_share AS "mere_stays" FROM (SELECT "mere_rows"."mere_k0" AS "v", CAST(SUM("mere_rows"."mere_a1") AS BIGINT) AS "n" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0") AS mere_all
  => mere_motion_2: Redistribute Motion, Hash Key:  ["mere_stays"]
slice 4, every segment
  SELECT MAX("q_2"."n") AS "mere_p0" FROM mere_motion_2 AS "q_2"
  => mere_motion_4: Broadcast Motion
slice 5, every segment
  SELECT "q_1"."v" AS "v", "q_1"."n" AS "n" FROM mere_motion_2 AS "q_1" WHERE "q_1"."n" = (SELECT "mere_part_1"."max" AS "max" FROM (SELECT MAX("mere_groups"."mere_p0") AS "max" FROM mere_motion_4 AS "mere_groups") AS "mere_part_1")
  => mere_motion_5: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_5;

WITH q AS (SELECT k, v FROM t0), p AS (SELECT k, count(*) AS n FROM q GROUP BY k) SELECT q.v, p.n FROM q JOIN p ON q.k = p.k;
slice 1, every segment
  SELECT "k" AS "k", "v" AS "v", $mere_share AS "mere_stays" FROM (SELECT "t0"."k" AS "k", "t0"."v" AS "v" FROM mere_scan_0 AS "t0") AS mere_all
  => mere_motion_1: Redistribute Motion, Hash Key:  ["mere_stays"]
slice 2, every segment
  SELECT "q_2"."v" AS "v", "p_1"."n" AS "n" FROM mere_motion_1 AS "q_2" CROSS JOIN (SELECT "q_1"."k" AS "k", COUNT(*) AS "n" FROM mere_motion_1 AS "q_1" GROUP BY "q_1"."k") AS "p_1" WHERE "q_2"."k" = "p_1"."k"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

WITH q AS (SELECT k FROM t0 LIMIT 5) SELECT (SELECT count(*) FROM q a JOIN q b ON a.k = b.k) = (SELECT count(*) FROM q a WHERE a.k IS NOT NULL AND EXISTS (SELECT 1 FROM q b WHERE a.k = b.k)) OR true AS same;
slice 1, every segment
  SELECT "t0"."k" AS "k" FROM mere_scan_0 AS "t0" LIMIT 5
  => mere_motion_1: Gather Motion
slice 2, one segment
  SELECT "k" AS "k" FROM mere_motion_1 LIMIT 5
  => mere_motion_2: Broadcast Motion
coordinator
  SELECT (SELECT "mere_part_2"."count" AS "count" FROM (SELECT COUNT(*) AS "count" FROM mere_motion_2 AS "b" CROSS JOIN mere_motion_2 AS "a" WHERE "a"."k" = "b"."k") AS "mere_part_2") = (SELECT "mere_part_1"."count" AS "count" FROM (SELECT COUNT(*) AS "count" FROM mere_motion_2 AS "a_1" WHERE NOT "a_1"."k" IS NULL AND EXISTS(SELECT 1 AS "mere_nothing" FROM mere_motion_2 AS "b_1" WHERE "a_1"."k" = "b_1"."k")) AS "mere_part_1") OR TRUE AS "same";

-- A recursive one runs on one segment, and its rows go where they are needed.
WITH RECURSIVE r(k, n) AS (SELECT k, 0 FROM t0 WHERE k = 1 UNION ALL SELECT t1.v, r.n + 1 FROM r JOIN t1 ON t1.k = r.k WHERE r.n < 2) SELECT k, n FROM r;
slice 1, one segment
  WITH mere_collected AS MATERIALIZED (WITH RECURSIVE "r"("k", "?column?") AS (SELECT CAST("t0"."k" AS INT) AS "k", CAST(0 AS INT) AS "?column?" FROM mere_scan_0 AS "t0" WHERE "t0"."k" = 1 UNION ALL SELECT "t1"."v" AS "v", "r_1"."?column?" + 1 AS "?column?" FROM "r" AS "r_1" JOIN mere_scan_1 AS "t1" ON "t1"."k" = "r_1"."k" WHERE "r_1"."?column?" < 2) SELECT "k" AS "k", "?column?" AS "?column?" FROM "r") SELECT * FROM mere_collected
  => mere_motion_1: Broadcast Motion
coordinator
  SELECT "r_2"."k" AS "k", "r_2"."?column?" AS "n" FROM mere_motion_1 AS "r_2";

WITH RECURSIVE r(k, n) AS (SELECT k, 0 FROM t0 WHERE k = 1 UNION SELECT t1.v, r.n + 1 FROM r JOIN t1 ON t1.k = r.k WHERE r.n < 3) SELECT r.n, count(*) AS c FROM r JOIN t2 ON r.k = t2.k GROUP BY r.n;
slice 1, one segment
  WITH mere_collected AS MATERIALIZED (WITH RECURSIVE "r"("k", "?column?") AS (SELECT CAST("t0"."k" AS INT) AS "k", CAST(0 AS INT) AS "?column?" FROM mere_scan_0 AS "t0" WHERE "t0"."k" = 1 UNION SELECT "t1"."v" AS "v", "r_1"."?column?" + 1 AS "?column?" FROM "r" AS "r_1" JOIN mere_scan_1 AS "t1" ON "t1"."k" = "r_1"."k" WHERE "r_1"."?column?" < 3) SELECT "k" AS "k", "?column?" AS "?column?" FROM "r") SELECT * FROM mere_collected
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "r_2"."?column?" AS "mere_k0", COUNT(*) AS "mere_p1" FROM mere_scan_2 AS "t2" CROSS JOIN mere_motion_1 AS "r_2" WHERE "r_2"."k" = "t2"."k" GROUP BY "r_2"."?column?"
  => mere_motion_2: Gather Motion
coordinator
  SELECT "mere_groups"."mere_k0" AS "n", CAST(COALESCE(SUM("mere_groups"."mere_p1"), 0) AS BIGINT) AS "c" FROM mere_motion_2 AS "mere_groups" GROUP BY "mere_groups"."mere_k0";
