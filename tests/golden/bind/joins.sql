-- Order, nesting and merged columns.

select * from t full join u using (a);
SELECT COALESCE("t"."a", "u"."a") AS "a", "t"."b" AS "b", "t"."c" AS "c", "u"."d" AS "d" FROM mere_scan_0 AS "t" FULL JOIN mere_scan_1 AS "u" ON "t"."a" = "u"."a";

select * from t natural left join u;
SELECT "t"."a" AS "a", "t"."b" AS "b", "t"."c" AS "c", "u"."d" AS "d" FROM mere_scan_0 AS "t" LEFT JOIN mere_scan_1 AS "u" ON "t"."a" = "u"."a";

select t.a from t, u left join w on u.a = w.a where t.a = u.a;
SELECT "t"."a" AS "a" FROM mere_scan_0 AS "t", mere_scan_1 AS "u" LEFT JOIN mere_scan_2 AS "w" ON "u"."a" = "w"."a" WHERE "t"."a" = "u"."a";

select t.a from t left join (u join w on u.a = w.a) on t.a = u.a;
SELECT "t"."a" AS "a" FROM mere_scan_0 AS "t" LEFT JOIN (mere_scan_1 AS "u" JOIN mere_scan_2 AS "w" ON "u"."a" = "w"."a") ON "t"."a" = "u"."a";

select j.d from (t join u using (a)) as j;
SELECT "j"."mere_column_3" AS "d" FROM (SELECT "t"."a" AS "mere_column_0", "t"."b" AS "mere_column_1", "t"."c" AS "mere_column_2", "u"."d" AS "mere_column_3" FROM mere_scan_0 AS "t" JOIN mere_scan_1 AS "u" ON "t"."a" = "u"."a") AS "j";

select t.a, l.m from t left join lateral (select max(d) as m from u where u.a = t.a) l on true;
SELECT "t"."a" AS "a", "l"."m" AS "m" FROM mere_scan_0 AS "t" LEFT JOIN LATERAL (SELECT MAX("u"."d") AS "m" FROM mere_scan_1 AS "u" WHERE "u"."a" = "t"."a") AS "l" ON TRUE;

select t.a, g from t, generate_series(1, t.a) with ordinality as g (g, n);
SELECT "t"."a" AS "a", "g"."c1" AS "g" FROM mere_scan_0 AS "t", LATERAL (SELECT mere_element AS "c1", "ordinality" AS "c2" FROM (SELECT UNNEST("mere_list") AS "mere_element", UNNEST(RANGE(1, LEN("mere_list") + 1)) AS "ordinality" FROM (SELECT CAST(GENERATE_SERIES(1, "t"."a") AS INTEGER[]) AS "mere_list") AS "g_list") AS "g_rows") AS "g";
