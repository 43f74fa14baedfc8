-- hash, 3 segments
-- Stored on the same key: nothing moves but the answer.
SELECT t0.v, t1.w FROM t0 JOIN t1 ON t0.k = t1.k;
slice 1, every segment
  SELECT "t0"."v" AS "v", "t1"."w" AS "w" FROM mere_scan_0 AS "t0" CROSS JOIN mere_scan_1 AS "t1" WHERE "t0"."k" = "t1"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_1;

-- One side is not stored on the key: it goes where the other's rows are.
SELECT t0.v, t1.w FROM t0 JOIN t1 ON t0.k = t1.v;
slice 1, every segment
  SELECT "t1"."v" AS "v", "t1"."w" AS "w" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t0"."v" AS "v", "t1"."w" AS "w" FROM mere_scan_0 AS "t0" CROSS JOIN mere_motion_1 AS "t1" WHERE "t0"."k" = "t1"."v"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_2;

-- Neither is.
SELECT t0.s, t1.s FROM t0 JOIN t1 ON t0.v = t1.w;
slice 1, every segment
  SELECT "t0"."s" AS "s", "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."s" AS "s", "t1"."s" AS "s_1" FROM mere_motion_1 AS "t0" CROSS JOIN mere_scan_1 AS "t1" WHERE "t0"."v" = "t1"."w"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "s" AS "s", "s_1" AS "s_1" FROM mere_motion_2;

-- What moves is filtered and projected first.
SELECT t0.k, t1.s FROM t0 JOIN t1 ON t0.k = t1.v WHERE t1.w > 2 AND t0.s <> 'a';
slice 1, every segment
  SELECT "t0"."k" AS "k" FROM mere_scan_0 AS "t0" WHERE "t0"."s" <> 'a'
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."k" AS "k", "t1"."s" AS "s" FROM mere_motion_1 AS "t0" CROSS JOIN mere_scan_1 AS "t1" WHERE "t1"."w" > 2 AND "t0"."k" = "t1"."v"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "s" AS "s" FROM mere_motion_2;

-- A replicated table is where it is needed already.
SELECT t0.v, small.name FROM t0 JOIN small ON t0.v = small.k;
slice 1, every segment (all of mere_scan_1)
  SELECT "t0"."v" AS "v", "small"."name" AS "name" FROM mere_scan_0 AS "t0" CROSS JOIN mere_scan_1 AS "small" WHERE "t0"."v" = "small"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "name" AS "name" FROM mere_motion_1;

-- A small table goes to every segment.
-- stated other 40
SELECT big.v, other.n FROM big JOIN other ON big.v = other.k;
slice 1, every segment
  SELECT "other"."k" AS "k", "other"."n" AS "n" FROM mere_scan_1 AS "other"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "big"."v" AS "v", "other"."n" AS "n" FROM mere_scan_0 AS "big" CROSS JOIN mere_motion_1 AS "other" WHERE "big"."v" = "other"."k"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

-- hash, 3 segments
-- Keys of unlike types meet after a cast.
SELECT t0.v, big.n FROM t0 JOIN big ON t0.k = big.k;
slice 1, every segment
  SELECT "t0"."v" AS "v", "big"."n" AS "n" FROM mere_scan_0 AS "t0" CROSS JOIN mere_scan_1 AS "big" WHERE "t0"."k" = "big"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_1;

SELECT t0.v, other.f FROM t0 JOIN other ON t0.v = other.f;
slice 1, every segment
  SELECT "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v", "other"."f" AS "f" FROM mere_motion_1 AS "t0" CROSS JOIN mere_scan_1 AS "other" WHERE "t0"."v" = "other"."f"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "f" AS "f" FROM mere_motion_2;

SELECT big.v, other.n FROM big JOIN other ON big.n = other.n;
slice 1, every segment
  SELECT "other"."n" AS "n" FROM mere_scan_1 AS "other"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "big"."v" AS "v", "other"."n" AS "n" FROM mere_scan_0 AS "big" CROSS JOIN mere_motion_1 AS "other" WHERE "big"."n" = "other"."n"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "n" AS "n" FROM mere_motion_2;

SELECT count(*) AS n FROM other a JOIN other b ON a.n = b.m;
slice 1, every segment
  SELECT "a"."n" AS "n" FROM mere_scan_0 AS "a"
  => mere_motion_1: Redistribute Motion, Hash Key: n [CAST(HASH(TRY_CAST("n" AS DECIMAL(38, 2))) % 2147483647 AS BIGINT)]
slice 2, every segment
  SELECT "b"."m" AS "m" FROM mere_scan_1 AS "b"
  => mere_motion_2: Redistribute Motion, Hash Key: m [CAST(HASH(TRY_CAST("m" AS DECIMAL(38, 2))) % 2147483647 AS BIGINT)]
slice 3, every segment
  SELECT COUNT(*) AS "mere_p0" FROM mere_motion_1 AS "a" CROSS JOIN mere_motion_2 AS "b" WHERE "a"."n" = "b"."m"
  => mere_motion_3: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_3 AS "mere_groups";

SELECT count(*) AS n FROM big JOIN other ON big.d = other.d;
slice 1, every segment
  SELECT "other"."d" AS "d" FROM mere_scan_1 AS "other"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT COUNT(*) AS "mere_p0" FROM mere_scan_0 AS "big" CROSS JOIN mere_motion_1 AS "other" WHERE CAST("big"."d" AS TIMESTAMP) = "other"."d"
  => mere_motion_2: Gather Motion
coordinator
  SELECT CAST(COALESCE(SUM("mere_groups"."mere_p0"), 0) AS BIGINT) AS "n" FROM mere_motion_2 AS "mere_groups";

-- Three tables on one class.
SELECT t0.k, t1.v, t2.w FROM t0 JOIN t1 ON t0.k = t1.k JOIN t2 ON t1.k = t2.k;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t1"."v" AS "v", "t2"."w" AS "w" FROM mere_scan_0 AS "t0" CROSS JOIN mere_scan_1 AS "t1" CROSS JOIN mere_scan_2 AS "t2" WHERE "t0"."k" = "t1"."k" AND "t1"."k" = "t2"."k"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "v" AS "v", "w" AS "w" FROM mere_motion_1;

-- An equality in WHERE makes the class as one in ON does.
SELECT t0.v, t2.w FROM t0, t1, t2 WHERE t0.k = t1.v AND t1.v = t2.k;
slice 1, every segment
  SELECT "t1"."v" AS "v" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Redistribute Motion, Hash Key: v [COALESCE((MURMUR3_32(CAST("v" AS BIGINT)) & 2147483647) % 16, 0)]
slice 2, every segment
  SELECT "t0"."v" AS "v", "t2"."w" AS "w" FROM mere_scan_0 AS "t0" CROSS JOIN mere_motion_1 AS "t1" CROSS JOIN mere_scan_2 AS "t2" WHERE "t0"."k" = "t1"."v" AND "t1"."v" = "t2"."k"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_2;

-- A chain over two keys is cut in two.
SELECT t0.s, t2.s FROM t0 JOIN t1 ON t0.k = t1.k JOIN t2 ON t1.v = t2.v;
slice 1, every segment
  SELECT "t2"."s" AS "s", "t2"."v" AS "v" FROM mere_scan_2 AS "t2"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."s" AS "s", "t2"."s" AS "s_1" FROM mere_scan_0 AS "t0" CROSS JOIN mere_scan_1 AS "t1" CROSS JOIN mere_motion_1 AS "t2" WHERE "t0"."k" = "t1"."k" AND "t1"."v" = "t2"."v"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "s" AS "s", "s_1" AS "s_1" FROM mere_motion_2;

-- random, 2 segments
SELECT t0.v, t1.w FROM t0 JOIN t1 ON t0.k = t1.k;
slice 1, every segment
  SELECT "t0"."k" AS "k", "t0"."v" AS "v" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."v" AS "v", "t1"."w" AS "w" FROM mere_motion_1 AS "t0" CROSS JOIN mere_scan_1 AS "t1" WHERE "t0"."k" = "t1"."k"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "v" AS "v", "w" AS "w" FROM mere_motion_2;

SELECT t0.k, t1.v, t2.w FROM t0 JOIN t1 ON t0.k = t1.k JOIN t2 ON t1.k = t2.k;
slice 1, every segment
  SELECT "t0"."k" AS "k" FROM mere_scan_0 AS "t0"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t2"."k" AS "k", "t2"."w" AS "w" FROM mere_scan_2 AS "t2"
  => mere_motion_2: Broadcast Motion
slice 3, every segment
  SELECT "t0"."k" AS "k", "t1"."v" AS "v", "t2"."w" AS "w" FROM mere_motion_1 AS "t0" CROSS JOIN mere_scan_1 AS "t1" CROSS JOIN mere_motion_2 AS "t2" WHERE "t0"."k" = "t1"."k" AND "t1"."k" = "t2"."k"
  => mere_motion_3: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "v" AS "v", "w" AS "w" FROM mere_motion_3;

-- Nothing to join on: one side is broadcast.
-- stated t1 100
SELECT t0.k, t1.k AS other FROM t0 CROSS JOIN t1;
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."k" AS "k", "t1"."k" AS "other" FROM mere_scan_0 AS "t0" CROSS JOIN mere_motion_1 AS "t1"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "other" AS "other" FROM mere_motion_2;

SELECT t0.k, t1.k AS other FROM t0 JOIN t1 ON t0.k < t1.k;
slice 1, every segment
  SELECT "t1"."k" AS "k" FROM mere_scan_1 AS "t1"
  => mere_motion_1: Broadcast Motion
slice 2, every segment
  SELECT "t0"."k" AS "k", "t1"."k" AS "other" FROM mere_scan_0 AS "t0" CROSS JOIN mere_motion_1 AS "t1" WHERE "t0"."k" < "t1"."k"
  => mere_motion_2: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "other" AS "other" FROM mere_motion_2;

-- replicated, 3 segments
SELECT t0.k, t1.s FROM t0 JOIN t1 ON t0.k = t1.v;
slice 1, one segment
  SELECT "t0"."k" AS "k", "t1"."s" AS "s" FROM mere_scan_1 AS "t1" CROSS JOIN mere_scan_0 AS "t0" WHERE "t0"."k" = "t1"."v"
  => mere_motion_1: Gather Motion
coordinator passes on
  SELECT "k" AS "k", "s" AS "s" FROM mere_motion_1;
