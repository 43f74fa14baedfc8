-- INSERT, UPDATE, DELETE and MERGE.

insert into t (b, a) select f, a from big;
SELECT CAST("big"."f" AS TEXT) AS "b", CAST(CAST("big"."a" AS INTEGER) AS INT) AS "a" FROM mere_scan_0 AS "big";

insert into t values (1, 'x', 2), (default, 'y', 3);
SELECT CAST("mere_values"."column1" AS INT) AS "a", CAST("mere_values"."column2" AS TEXT) AS "b", CAST("mere_values"."column3" AS INT) AS "c" FROM (VALUES (1, 'x', 2), (CAST(NULL AS INT), 'y', 3)) AS "mere_values"("column1", "column2", "column3");

update t set b = upper(b), c = default where a = 1;
SELECT "t"."mere_file" AS "mere_file", "t"."mere_pos" AS "mere_pos", "t"."a" AS "a", CAST(UPPER("t"."b") AS TEXT) AS "b", CAST(NULL AS INT) AS "c" FROM mere_scan_0 AS "t" WHERE "t"."a" = 1;

update t set c = u.d from u where u.a = t.a returning t.a, old.c, u.d;
SELECT DISTINCT ON ("t"."mere_file", "t"."mere_pos") "t"."mere_file" AS "mere_file", "t"."mere_pos" AS "mere_pos", "t"."a" AS "a", "t"."b" AS "b", CAST("u"."d" AS INT) AS "c", "t"."c" AS "mere_old_3", "u"."d" AS "mere_from_1" FROM mere_scan_0 AS "t", mere_scan_1 AS "u" WHERE "u"."a" = "t"."a";

delete from t using u where u.a = t.a and u.d > 5;
SELECT DISTINCT ON ("t"."mere_file", "t"."mere_pos") "t"."mere_file" AS "mere_file", "t"."mere_pos" AS "mere_pos" FROM mere_scan_0 AS "t", mere_scan_1 AS "u" WHERE "u"."a" = "t"."a" AND "u"."d" > 5;

merge into t using big s on t.a = s.a when matched and t.c > 1 then delete when matched then update set b = s.f when not matched then insert (a) values (s.a);
SELECT CASE CASE WHEN NOT "t"."mere_file" IS NULL AND ("t"."c" > 1) THEN 0 WHEN NOT "t"."mere_file" IS NULL THEN 1 WHEN "t"."mere_file" IS NULL THEN 2 END WHEN 0 THEN 'DELETE' WHEN 1 THEN 'UPDATE' WHEN 2 THEN 'INSERT' END AS "mere_action", "t"."mere_file" AS "mere_file", "t"."mere_pos" AS "mere_pos", CASE CASE WHEN NOT "t"."mere_file" IS NULL AND ("t"."c" > 1) THEN 0 WHEN NOT "t"."mere_file" IS NULL THEN 1 WHEN "t"."mere_file" IS NULL THEN 2 END WHEN 2 THEN CAST(CAST("s"."a" AS INTEGER) AS INT) ELSE "t"."a" END AS "a", CASE CASE WHEN NOT "t"."mere_file" IS NULL AND ("t"."c" > 1) THEN 0 WHEN NOT "t"."mere_file" IS NULL THEN 1 WHEN "t"."mere_file" IS NULL THEN 2 END WHEN 1 THEN CAST("s"."f" AS TEXT) WHEN 2 THEN CAST(NULL AS TEXT) ELSE "t"."b" END AS "b", CASE CASE WHEN NOT "t"."mere_file" IS NULL AND ("t"."c" > 1) THEN 0 WHEN NOT "t"."mere_file" IS NULL THEN 1 WHEN "t"."mere_file" IS NULL THEN 2 END WHEN 2 THEN CAST(NULL AS INT) ELSE "t"."c" END AS "c" FROM mere_scan_0 AS "s" LEFT JOIN mere_scan_1 AS "t" ON "t"."a" = "s"."a" WHERE CASE WHEN NOT "t"."mere_file" IS NULL AND ("t"."c" > 1) THEN 0 WHEN NOT "t"."mere_file" IS NULL THEN 1 WHEN "t"."mere_file" IS NULL THEN 2 END IN (0, 1, 2);
