-- Stars, aliases and names.

select *, a + 1 from t where a = 1;
SELECT "t"."a" AS "a", "t"."b" AS "b", "t"."c" AS "c", "t"."a" + 1 AS "?column?" FROM mere_scan_0 AS "t" WHERE "t"."a" = 1;

select count(*) from t;
SELECT COUNT(*) AS "count" FROM mere_scan_0 AS "t";

select x.k, x.* from t as x (k) order by k desc, 2 nulls first;
SELECT "x"."a" AS "k", "x"."a" AS "k_1", "x"."b" AS "b", "x"."c" AS "c" FROM mere_scan_0 AS "x" ORDER BY 1 DESC NULLS FIRST, 2 ASC NULLS FIRST;

select a, d as "A" from t join u using (a);
SELECT "t"."a" AS "a", "u"."d" AS "A_1" FROM mere_scan_0 AS "t" JOIN mere_scan_1 AS "u" ON "t"."a" = "u"."a";

select distinct on (b) b, c from t order by b, c desc;
SELECT DISTINCT ON ("t"."b") "t"."b" AS "b", "t"."c" AS "c" FROM mere_scan_0 AS "t" ORDER BY 1 ASC NULLS LAST, 2 DESC NULLS FIRST;

select b as grp, sum(c) as total from t group by grp having sum(c) > 1 order by total desc limit 3 offset 1;
SELECT "t"."b" AS "grp", CAST(SUM("t"."c") AS BIGINT) AS "total" FROM mere_scan_0 AS "t" GROUP BY "t"."b" HAVING CAST(SUM("t"."c") AS BIGINT) > 1 ORDER BY 2 DESC NULLS FIRST LIMIT 3 OFFSET 1;

select b, c, grouping(b) from t group by rollup (b, c);
SELECT "t"."b" AS "b", "t"."c" AS "c", CAST(GROUPING("t"."b") AS INTEGER) AS "grouping" FROM mere_scan_0 AS "t" GROUP BY ROLLUP ("t"."b", "t"."c");

select a, rank() over w from t window w as (partition by b order by c);
SELECT "t"."a" AS "a", RANK() OVER (PARTITION BY "t"."b" ORDER BY "t"."c" ASC NULLS LAST) AS "rank" FROM mere_scan_0 AS "t";

select c from t order by c fetch first 2 rows with ties;
SELECT "mere_ties"."c" AS "c" FROM (SELECT "t"."c" AS "c" FROM mere_scan_0 AS "t") AS "mere_ties" QUALIFY RANK() OVER (ORDER BY "mere_ties"."c" ASC NULLS LAST) <= 2 ORDER BY "mere_ties"."c" ASC NULLS LAST;

values (1, 'a'), (null, 'b') order by 1;
SELECT "mere_values"."column1" AS "column1", "mere_values"."column2" AS "column2" FROM (VALUES (1, 'a'), (CAST(NULL AS INTEGER), 'b')) AS "mere_values"("column1", "column2") ORDER BY 1 ASC NULLS LAST;
