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

-- What every reader leaves out is left out once.
-- hash, 3 segments
WITH c AS (SELECT v, w, count(*) AS n FROM t0 GROUP BY v, w) SELECT a.n, b.n FROM c a JOIN c b ON a.v = b.v WHERE a.w = 1 AND b.w = 2 AND b.v > 0;
slice 2, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_k1", COUNT(*) AS "mere_p2" FROM mere_scan_0 AS "t0" WHERE (("t0"."w" = 1) OR ("t0"."w" = 2 AND "t0"."v" > 0)) GROUP BY "t0"."v", "t0"."w"
  => mere_motion_2: Broadcast Motion
coordinator
  SELECT "a"."n" AS "n", "b"."n" AS "n_1" FROM (SELECT "mere_groups"."mere_k0" AS "v", "mere_groups"."mere_k1" AS "w", CAST(COALESCE(SUM("mere_groups"."mere_p2"), 0) AS BIGINT) AS "n" FROM mere_motion_2 AS "mere_groups" GROUP BY "mere_groups"."mere_k0", "mere_groups"."mere_k1") AS "a" CROSS JOIN (SELECT "mere_groups"."mere_k0" AS "v", "mere_groups"."mere_k1" AS "w", CAST(COALESCE(SUM("mere_groups"."mere_p2"), 0) AS BIGINT) AS "n" FROM mere_motion_2 AS "mere_groups" GROUP BY "mere_groups"."mere_k0", "mere_groups"."mere_k1") AS "b" WHERE "a"."w" = 1 AND "b"."w" = 2 AND "b"."v" > 0 AND "a"."v" = "b"."v";

WITH c AS (SELECT 'a' AS kind, k, sum(w) AS n FROM t0 GROUP BY k UNION ALL SELECT 'b', k, sum(w) FROM t1 GROUP BY k) SELECT x.n, y.n FROM c x JOIN c y ON x.k = y.k WHERE x.kind = 'a' AND y.kind = 'b' AND x.k < 4 AND y.k < 4;
slice 1, every segment
  WITH mere_collected AS MATERIALIZED (SELECT "kind" AS "kind", "k" AS "k", "n" AS "n", $mere_share AS "mere_stays" FROM ((SELECT 'a' AS "kind", "t0"."k" AS "k", CAST(SUM("t0"."w") AS BIGINT) AS "n" FROM mere_scan_0 AS "t0" WHERE (('a' = 'a' AND "t0"."k" < 4) OR ('a' = 'b' AND "t0"."k" < 4)) AND "t0"."k" < 4 GROUP BY "t0"."k") UNION ALL (SELECT "mere_member"."?column?" AS "kind", "mere_member"."k" AS "k", "mere_member"."sum" AS "n" FROM (SELECT 'b' AS "?column?", "t1"."k" AS "k", CAST(SUM("t1"."w") AS BIGINT) AS "sum" FROM mere_scan_1 AS "t1" WHERE (('b' = 'a' AND "t1"."k" < 4) OR ('b' = 'b' AND "t1"."k" < 4)) AND "t1"."k" < 4 GROUP BY "t1"."k") AS "mere_member")) AS mere_all) SELECT * FROM mere_collected
  => mere_motion_1: Redistribute Motion, Hash Key:  ["mere_stays"]
slice 2, every segment
  SELECT "x"."n" AS "n", "y"."n" AS "n_1" FROM mere_motion_1 AS "x" CROSS JOIN mere_motion_1 AS "y" WHERE "x"."kind" = 'a' AND "x"."k" < 4 AND "y"."kind" = 'b' AND "y"."k" < 4 AND "x"."k" = "y"."k"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "n" AS "n", "n_1" AS "n_1" FROM mere_motion_2;

-- Not where one reader wants all, nor where a reader's rows may be missing.
WITH c AS (SELECT k, v FROM t0 WHERE w > 1) SELECT a.v, (SELECT count(*) FROM c) FROM c a WHERE a.v = 2;
slice 1, every segment
  SELECT "v" AS "v", $mere_share AS "mere_stays" FROM (SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."w" > 1) AS mere_all
  => mere_motion_1: Redistribute Motion, Hash Key:  ["mere_stays"]
slice 3, every segment
  SELECT COUNT(*) AS "mere_p0" FROM mere_motion_1 AS "c_1"
  => mere_motion_3: Broadcast Motion
slice 4, every segment
  SELECT "a"."v" AS "v", (SELECT "mere_part_1"."count" AS "count" FROM (SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "count" FROM mere_motion_3 AS "mere_groups") AS "mere_part_1") AS "count" FROM mere_motion_1 AS "a" WHERE "a"."v" = 2
  => mere_motion_4: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "count" AS "count" FROM mere_motion_4;

WITH c AS (SELECT k, v FROM t0 WHERE w > 1) SELECT t1.k, a.v FROM t1 LEFT JOIN c a ON a.k = t1.k LEFT JOIN c b ON b.v = t1.v WHERE a.v IS NULL AND b.v IS NULL;
slice 1, every segment
  SELECT "k" AS "k", "v" AS "v", $mere_share AS "mere_stays" FROM (SELECT "t0"."k" AS "k", "t0"."v" AS "v" FROM mere_scan_0 AS "t0" WHERE "t0"."w" > 1) AS mere_all
  => mere_motion_1: Redistribute Motion, Hash Key:  ["mere_stays"]
slice 2, every segment
  SELECT "b"."v" AS "v" FROM mere_motion_1 AS "b"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "t1"."k" AS "k", "a"."v" AS "v" FROM mere_scan_1 AS "t1" LEFT JOIN mere_motion_1 AS "a" ON "a"."k" = "t1"."k" LEFT JOIN mere_motion_2 AS "b" ON "b"."v" = "t1"."v" WHERE "a"."v" IS NULL AND "b"."v" IS NULL
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "v" AS "v" FROM mere_motion_3;

WITH c AS (SELECT count(*) AS n FROM t0) SELECT a.n FROM c a, c b WHERE a.n > 100 AND b.n > 100;
slice 2, every segment
  SELECT COUNT(*) AS "mere_p0" FROM mere_scan_0 AS "t0"
  => mere_motion_2: Broadcast Motion
coordinator
  SELECT "a"."n" AS "n" FROM (SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_2 AS "mere_groups") AS "a" CROSS JOIN (SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_2 AS "mere_groups") AS "b" WHERE "a"."n" > 100 AND "b"."n" > 100;

-- What the query takes of the readers' conditions: not those on its sums, and not those that may fail where they stood guard.
WITH c AS (SELECT v, w, sum(k) AS s, 'a' AS kind FROM t0 GROUP BY v, w UNION ALL SELECT v, w, sum(k), 'b' FROM t1 GROUP BY v, w) SELECT a.v, b.s FROM c a, c b WHERE a.v = b.v AND a.w = 1 AND a.kind = 'a' AND a.s > 0 AND b.w = 2 AND b.kind = 'b' AND b.s > a.s;
slice 3, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_k1", SUM("t0"."k") AS "mere_p2" FROM mere_scan_0 AS "t0" WHERE (("t0"."w" = 1 AND 'a' = 'a') OR ("t0"."w" = 2 AND 'a' = 'b')) GROUP BY "t0"."v", "t0"."w"
  => mere_motion_3: Broadcast Motion
slice 4, every segment
  SELECT "t1"."v" AS "mere_k0", "t1"."w" AS "mere_k1", SUM("t1"."k") AS "mere_p2" FROM mere_scan_1 AS "t1" WHERE (("t1"."w" = 1 AND 'b' = 'a') OR ("t1"."w" = 2 AND 'b' = 'b')) GROUP BY "t1"."v", "t1"."w"
  => mere_motion_4: Broadcast Motion
coordinator
  SELECT "a"."v" AS "v", "b"."s" AS "s" FROM ((SELECT "mere_groups"."mere_k0" AS "v", "mere_groups"."mere_k1" AS "w", CAST(SUM("mere_groups"."mere_p2") AS BIGINT) AS "s", 'a' AS "kind" FROM mere_motion_3 AS "mere_groups" GROUP BY "mere_groups"."mere_k0", "mere_groups"."mere_k1") UNION ALL (SELECT "mere_member"."v" AS "v", "mere_member"."w" AS "w", "mere_member"."sum" AS "s", "mere_member"."?column?" AS "kind" FROM (SELECT "mere_groups"."mere_k0" AS "v", "mere_groups"."mere_k1" AS "w", CAST(SUM("mere_groups"."mere_p2") AS BIGINT) AS "sum", 'b' AS "?column?" FROM mere_motion_4 AS "mere_groups" GROUP BY "mere_groups"."mere_k0", "mere_groups"."mere_k1") AS "mere_member")) AS "b" CROSS JOIN ((SELECT "mere_groups"."mere_k0" AS "v", "mere_groups"."mere_k1" AS "w", CAST(SUM("mere_groups"."mere_p2") AS BIGINT) AS "s", 'a' AS "kind" FROM mere_motion_3 AS "mere_groups" GROUP BY "mere_groups"."mere_k0", "mere_groups"."mere_k1") UNION ALL (SELECT "mere_member"."v" AS "v", "mere_member"."w" AS "w", "mere_member"."sum" AS "s", "mere_member"."?column?" AS "kind" FROM (SELECT "mere_groups"."mere_k0" AS "v", "mere_groups"."mere_k1" AS "w", CAST(SUM("mere_groups"."mere_p2") AS BIGINT) AS "sum", 'b' AS "?column?" FROM mere_motion_4 AS "mere_groups" GROUP BY "mere_groups"."mere_k0", "mere_groups"."mere_k1") AS "mere_member")) AS "a" WHERE "b"."w" = 2 AND "b"."kind" = 'b' AND "a"."w" = 1 AND "a"."kind" = 'a' AND "a"."s" > 0 AND "a"."v" = "b"."v" AND "b"."s" > "a"."s";

WITH c AS (SELECT v, w, sum(k) AS s FROM t0 GROUP BY v, w) SELECT a.v, b.s FROM c a, c b WHERE a.v = b.v AND a.s > 0 AND 10 / (a.w + 100) < 3 AND b.w = 2;
slice 1, every segment
  SELECT "t0"."v" AS "mere_k0", "t0"."w" AS "mere_k1", "t0"."k" AS "mere_a2" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Redistribute Motion, Hash Key: mere_k0 [CAST(HASH(CAST("mere_k0" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "v" AS "v", "w" AS "w", "s" AS "s", $mere_share AS "mere_stays" FROM (SELECT "mere_rows"."mere_k0" AS "v", "mere_rows"."mere_k1" AS "w", CAST(SUM("mere_rows"."mere_a2") AS BIGINT) AS "s" FROM mere_motion_1 AS "mere_rows" GROUP BY "mere_rows"."mere_k0", "mere_rows"."mere_k1") AS mere_all
  => mere_motion_2: Redistribute Motion, Hash Key:  ["mere_stays"]
slice 3, every segment
  SELECT "a"."v" AS "v", "b"."s" AS "s" FROM mere_motion_2 AS "a" CROSS JOIN mere_motion_2 AS "b" WHERE "a"."s" > 0 AND MERE_INT_DIV(10, ("a"."w" + 100)) < 3 AND "b"."w" = 2 AND "a"."v" = "b"."v"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "s" AS "s" FROM mere_motion_3;

-- Equal rows once where readers only ask whether there are any.
WITH c AS (SELECT a.v FROM big a JOIN big b ON a.v = b.v AND a.n <> b.n) SELECT t0.k FROM t0 WHERE t0.v IN (SELECT v FROM c) AND t0.w IN (SELECT t1.w FROM t1 JOIN c ON c.v = t1.v);
slice 1, every segment
  SELECT "a"."n" AS "n", "a"."v" AS "v" FROM mere_scan_0 AS "a"
  => mere_motion_1: Redistribute Motion, Hash Key: v [CAST(HASH("v") % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT "v" AS "v", $mere_share AS "mere_stays" FROM (SELECT DISTINCT "a"."v" AS "v" FROM mere_motion_1 AS "a" CROSS JOIN mere_motion_1 AS "b" WHERE "a"."v" = "b"."v" AND "a"."n" <> "b"."n") AS mere_all
  => mere_motion_3: Redistribute Motion, Hash Key:  ["mere_stays"]
slice 4, every segment
  SELECT "t1"."v" AS "v", "t1"."w" AS "w" FROM mere_scan_3 AS "t1"
  => mere_motion_4: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 5, every segment
  SELECT "t0"."k" AS "k", "t0"."v" AS "v", "t0"."w" AS "w" FROM mere_scan_2 AS "t0"
  => mere_motion_5: Redistribute Motion, Hash Key: v [CAST(HASH(CAST("v" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 6, every segment
  SELECT "t0"."k" AS "k", "t0"."w" AS "w" FROM mere_motion_5 AS "t0" WHERE "t0"."v" IN (SELECT "mere_part_1"."v" AS "v" FROM mere_motion_3 AS "mere_part_1")
  => mere_motion_6: Redistribute Motion, Hash Key: w [CAST(HASH(CAST("w" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 7, every segment
  SELECT DISTINCT "mere_part_2"."w" AS "w" FROM (SELECT "t1"."w" AS "w" FROM mere_motion_4 AS "t1" CROSS JOIN mere_motion_3 AS "c_2" WHERE "c_2"."v" = "t1"."v") AS "mere_part_2"
  => mere_motion_7: Redistribute Motion, Hash Key: w [CAST(HASH(CAST("w" AS BIGINT)) % 2147483647 AS BIGINT)]
slice 8, every segment
  SELECT "t0"."k" AS "k" FROM mere_motion_6 AS "t0" WHERE "t0"."w" IN (SELECT "mere_part_2"."w" AS "w" FROM mere_motion_7 AS "mere_part_2")
  => mere_motion_8: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_8;

-- A value is no such question.
WITH c AS (SELECT v FROM t2 WHERE k = 3) SELECT t0.k FROM t0 WHERE t0.v IN (SELECT v FROM c) AND (SELECT count(*) FROM c) IN (1, 2, 3);
slice 1, every segment
  SELECT "t2"."v" AS "v" FROM mere_scan_0 AS "t2" WHERE "t2"."k" = 3
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."k" AS "k" FROM mere_scan_1 AS "t0" WHERE "t0"."v" IN (SELECT "mere_part_1"."v" AS "v" FROM mere_motion_1 AS "mere_part_1") AND (SELECT "mere_part_2"."count" AS "count" FROM (SELECT COUNT(*) AS "count" FROM mere_motion_1 AS "c_2") AS "mere_part_2") IN (1, 2, 3)
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k" FROM mere_motion_2;
