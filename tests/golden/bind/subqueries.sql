-- Correlation, views and WITH.

select a from t where exists (select from u where u.a = t.a) and b in (select f from big);
SELECT "t"."a" AS "a" FROM mere_scan_0 AS "t" WHERE EXISTS(SELECT NULL AS "mere_nothing" FROM mere_scan_1 AS "u" WHERE "u"."a" = "t"."a") AND "t"."b" IN (SELECT "big"."f" AS "f" FROM mere_scan_2 AS "big");

select a, (select max(d) from u where u.a = t.a) from t;
SELECT "t"."a" AS "a", (SELECT MAX("u"."d") AS "max" FROM mere_scan_1 AS "u" WHERE "u"."a" = "t"."a") AS "max" FROM mere_scan_0 AS "t";

select p from v where q > 2;
SELECT "v"."p" AS "p" FROM (SELECT "t"."a" AS "p", ("t"."c" + 1) AS "q" FROM mere_scan_0 AS "t" WHERE (NOT "t"."a" IS NULL)) AS "v" WHERE "v"."q" > 2;

with x (k) as (select a from t), y as materialized (select k + 1 as n from x) select * from y, y z;
WITH "x"("a") AS (SELECT "t"."a" AS "a" FROM mere_scan_0 AS "t"), "y"("n") AS MATERIALIZED (SELECT "x_1"."a" + 1 AS "n" FROM "x" AS "x_1") SELECT "y_1"."n" AS "n", "z"."n" AS "n_1" FROM "y" AS "y_1", "y" AS "z";

with recursive r (n) as (select 1 union all select n + 1 from r where n < 5) select n from r;
WITH RECURSIVE "r"("?column?") AS (SELECT CAST(1 AS INT) AS "?column?" UNION ALL SELECT "r_1"."?column?" + 1 AS "?column?" FROM "r" AS "r_1" WHERE "r_1"."?column?" < 5) SELECT "r_2"."?column?" AS "n" FROM "r" AS "r_2";

select a from t union all (select a from u order by d limit 1) order by 1;
SELECT "t"."a" AS "a" FROM mere_scan_0 AS "t" UNION ALL (SELECT "u"."a" AS "a" FROM mere_scan_1 AS "u" ORDER BY "u"."d" ASC NULLS LAST LIMIT 1) ORDER BY 1 ASC NULLS LAST;

select a, null from t union select '7', b from (values (null, '5')) z (a, b);
SELECT "t"."a" AS "a", CAST(NULL AS VARCHAR) AS "?column?" FROM mere_scan_0 AS "t" UNION SELECT 7 AS "?column?", "z"."column2" AS "b" FROM (SELECT CAST(NULL AS VARCHAR) AS "column1", '5' AS "column2") AS "z";
