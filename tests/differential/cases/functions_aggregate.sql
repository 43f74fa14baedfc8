-- Aggregates and window functions, over stored columns.
CREATE TABLE t (k int, g text, i int, n numeric(10,2), f float8, v text, o bool, d date, a int[], j jsonb);
INSERT INTO t VALUES (1, 'a', 1, 1.10, 1.5, 'x', true, '2024-01-01', '{1,2}', '{"a": 1}'), (2, 'a', 2, 2.20, 2.5, 'y', false, '2024-01-02', '{3}', '[1]'), (3, 'a', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (4, 'b', 5, -5.00, 0.25, 'z', true, '2023-06-30', '{}', '"s"'), (5, 'b', 5, 7.77, -1.0, 'x', true, '2025-01-01', '{7,NULL}', 'null'), (6, 'c', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT g, count(*), count(i), count(distinct i) FROM t GROUP BY g ORDER BY g;
SELECT g, count(*) filter (where o) FROM t GROUP BY g ORDER BY g;
SELECT g, sum(i), sum(n), sum(f) FROM t GROUP BY g ORDER BY g;
SELECT g, sum(distinct i), sum(i) filter (where i > 1) FROM t GROUP BY g ORDER BY g;
SELECT g, avg(i), avg(n), avg(f) FROM t GROUP BY g ORDER BY g;
SELECT g, avg(distinct n) FROM t GROUP BY g ORDER BY g;
SELECT g, min(i), max(n), min(v) FROM t GROUP BY g ORDER BY g;
SELECT g, max(d), min(f), min(a) FROM t GROUP BY g ORDER BY g;
SELECT g, max(v) FROM t GROUP BY g ORDER BY g;
SELECT g, stddev(i), stddev_pop(n), stddev_samp(f) FROM t GROUP BY g ORDER BY g;
SELECT g, variance(i), var_pop(f), var_samp(n) FROM t GROUP BY g ORDER BY g;
SELECT g, bool_and(o), bool_or(o), every(i > 0) FROM t GROUP BY g ORDER BY g;
SELECT g, string_agg(v, ',' order by k), string_agg(distinct v, ',' order by v), string_agg(v, '' order by k desc) FROM t GROUP BY g ORDER BY g;
SELECT g, array_agg(i order by k), array_agg(distinct i order by i), array_agg(v order by v desc nulls last) FROM t GROUP BY g ORDER BY g;
SELECT g, json_agg(i order by k), jsonb_agg(v order by k), json_object_agg(k, v order by k) FROM t GROUP BY g ORDER BY g;
SELECT g, jsonb_object_agg(k, i) FROM t GROUP BY g ORDER BY g;
SELECT g, corr(f, i) FROM t GROUP BY g ORDER BY g;
SELECT g, covar_pop(f, i) FROM t GROUP BY g ORDER BY g;
SELECT g, covar_samp(f, i) FROM t GROUP BY g ORDER BY g;
SELECT g, regr_slope(f, i) FROM t GROUP BY g ORDER BY g;
SELECT g, regr_intercept(f, i) FROM t GROUP BY g ORDER BY g;
SELECT g, regr_count(f, i) FROM t GROUP BY g ORDER BY g;
SELECT g, regr_r2(f, i), regr_avgx(f, i) FROM t GROUP BY g ORDER BY g;
SELECT g, percentile_cont(0.5) within group (order by f), percentile_disc(0.5) within group (order by i), mode() within group (order by v) FROM t GROUP BY g ORDER BY g;
SELECT g, percentile_cont(array[0.25, 0.75]) within group (order by f) FROM t GROUP BY g ORDER BY g;
SELECT g, bit_and(i), bit_or(i), bit_xor(i) FROM t GROUP BY g ORDER BY g;
SELECT g, any_value(g), count(distinct (g, i)) FROM t GROUP BY g ORDER BY g;
--! differs unsupported-syntax
SELECT g, rank(2) within group (order by i) FROM t GROUP BY g ORDER BY g;
--! differs unsupported-syntax
SELECT g, dense_rank(2) within group (order by i) FROM t GROUP BY g ORDER BY g;
--! differs unsupported-syntax
SELECT g, cume_dist(2) within group (order by i) FROM t GROUP BY g ORDER BY g;
SELECT g, max(i) - min(i), sum(i) / count(*), sum(n) * 2 FROM t GROUP BY g ORDER BY g;
SELECT g, round(avg(n), 1), coalesce(sum(i), 0) FROM t GROUP BY g ORDER BY g;
SELECT g, sum(case when o then 1 else 0 end), count(nullif(v, 'x')), avg(i + 0.5) FROM t GROUP BY g ORDER BY g;
--! differs unsupported-function
SELECT g, range_agg(int4range(i, i + 1)) FROM t GROUP BY g ORDER BY g;
--! differs unsupported-function
SELECT g, array_agg(a order by k) filter (where cardinality(a) = 1) FROM t GROUP BY g ORDER BY g;
SELECT g, max(i) filter (where false), string_agg(v, null order by k) FROM t GROUP BY g ORDER BY g;
SELECT g, sum(i::bigint), sum(i::smallint), avg(i::bigint) FROM t GROUP BY g ORDER BY g;
SELECT g, sum(f::real), avg(f::real) FROM t GROUP BY g ORDER BY g;
SELECT g, grouping(g), min(j::text), count(j) FROM t GROUP BY g ORDER BY g;
