-- Functions and operators of numbers, over stored columns.
CREATE TABLE t (i int, b bigint, s smallint, n numeric(12,4), f float8, r real);
INSERT INTO t VALUES (1, 10000000000, 7, 12.3456, 2.5, 1.25), (-3, -5, -2, -0.5000, -0.75, 0.5), (0, 0, 0, 0, 0, 0), (NULL, NULL, NULL, NULL, NULL, NULL), (17, 4611686018427387904, 255, 99999999.9999, 1e10, 3.5);
SELECT abs(i), abs(b), abs(s) FROM t ORDER BY i NULLS LAST;
SELECT abs(n), abs(f), abs(r) FROM t ORDER BY i NULLS LAST;
SELECT -i, -b, -n FROM t ORDER BY i NULLS LAST;
SELECT -f, +i FROM t ORDER BY i NULLS LAST;
SELECT i + b, i - s, i * s FROM t ORDER BY i NULLS LAST;
SELECT s * s FROM t ORDER BY i NULLS LAST;
SELECT i / 2, b / 3, s / 2 FROM t ORDER BY i NULLS LAST;
SELECT n / 4, f / 4, r / 2 FROM t ORDER BY i NULLS LAST;
SELECT i % 2, b % 3, n % 7 FROM t ORDER BY i NULLS LAST;
SELECT mod(i, 4), mod(n, 0.3) FROM t ORDER BY i NULLS LAST;
SELECT div(n, 2), div(i, 2) FROM t ORDER BY i NULLS LAST;
SELECT ceil(n), ceiling(f), floor(n) FROM t ORDER BY i NULLS LAST;
SELECT floor(f), ceil(i), floor(r) FROM t ORDER BY i NULLS LAST;
SELECT round(n), round(n, 2), round(n, -1) FROM t ORDER BY i NULLS LAST;
SELECT round(f), round(i, -1) FROM t ORDER BY i NULLS LAST;
SELECT trunc(n), trunc(n, 1), trunc(n, -2) FROM t ORDER BY i NULLS LAST;
SELECT trunc(f) FROM t ORDER BY i NULLS LAST;
SELECT sign(n), sign(f), sign(i) FROM t ORDER BY i NULLS LAST;
SELECT sqrt(abs(f)), cbrt(f), sqrt(abs(n)) FROM t ORDER BY i NULLS LAST;
SELECT |/ abs(f), ||/ f FROM t ORDER BY i NULLS LAST;
SELECT power(f, 2), power(2, i), n ^ 2 FROM t ORDER BY i NULLS LAST;
SELECT f ^ 2 FROM t ORDER BY i NULLS LAST;
SELECT exp(i / 10.0), exp(f / 1e10) FROM t ORDER BY i NULLS LAST;
SELECT ln(abs(f) + 1), log(abs(f) + 1), log(2, abs(n) + 1) FROM t ORDER BY i NULLS LAST;
SELECT log10(abs(f) + 1) FROM t ORDER BY i NULLS LAST;
SELECT gcd(i, 12), lcm(i, 12), gcd(b, 15) FROM t ORDER BY i NULLS LAST;
SELECT factorial(abs(s % 10)::bigint) FROM t ORDER BY i NULLS LAST;
SELECT width_bucket(f, -10, 10, 5), width_bucket(n, 0, 100, 4) FROM t ORDER BY i NULLS LAST;
SELECT i & 6, i | 8, i # 5 FROM t ORDER BY i NULLS LAST;
SELECT ~i, i << 2, i >> 1 FROM t ORDER BY i NULLS LAST;
SELECT b & 255 FROM t ORDER BY i NULLS LAST;
SELECT degrees(r), radians(f), pi() FROM t ORDER BY i NULLS LAST;
SELECT sin(f), cos(f), tan(r) FROM t ORDER BY i NULLS LAST;
SELECT asin(r / 10), acos(r / 10), atan(f) FROM t ORDER BY i NULLS LAST;
SELECT atan2(f, r) FROM t ORDER BY i NULLS LAST;
--! differs unsupported-function
SELECT sind(f) FROM t ORDER BY i NULLS LAST;
--! differs unsupported-function
SELECT cosd(r) FROM t ORDER BY i NULLS LAST;
--! differs unsupported-function
SELECT tand(r) FROM t ORDER BY i NULLS LAST;
--! differs unsupported-function
SELECT cotd(r + 1) FROM t ORDER BY i NULLS LAST;
--! differs unsupported-function
SELECT atan2d(f, r + 1) FROM t ORDER BY i NULLS LAST;
SELECT sinh(r), cosh(r), tanh(f) FROM t ORDER BY i NULLS LAST;
SELECT asinh(f) FROM t ORDER BY i NULLS LAST;
SELECT acosh(abs(r) + 1) FROM t ORDER BY i NULLS LAST;
SELECT atanh(r / 10) FROM t ORDER BY i NULLS LAST;
SELECT i::numeric, b::numeric(20,2), n::int FROM t ORDER BY i NULLS LAST;
SELECT n::bigint, f::int, f::numeric FROM t ORDER BY i NULLS LAST;
SELECT r::float8, n::float8, s::text FROM t ORDER BY i NULLS LAST;
SELECT f::text, r::text FROM t ORDER BY i NULLS LAST;
SELECT i::bool, (i > 0)::int, n::text FROM t ORDER BY i NULLS LAST;
SELECT n::smallint FROM t ORDER BY i NULLS LAST;
SELECT i between -1 and 5, n between symmetric 13 and 0, i in (1, 17, null) FROM t ORDER BY i NULLS LAST;
SELECT greatest(i, s, 3), least(n, f, 0.5), greatest(r, i) FROM t ORDER BY i NULLS LAST;
SELECT i = s, b <> i, n < f FROM t ORDER BY i NULLS LAST;
SELECT r >= n, i is distinct from s FROM t ORDER BY i NULLS LAST;
SELECT coalesce(i, -1), nullif(i, 0), coalesce(n, f, 1) FROM t ORDER BY i NULLS LAST;
SELECT case when i > 0 then n when i = 0 then 0 else f end FROM t ORDER BY i NULLS LAST;
SELECT scale(n), min_scale(n), trim_scale(n) FROM t ORDER BY i NULLS LAST;
SELECT to_char(n, 'FM999999990.00'), to_char(i, '0000'), to_char(f, '9.99EEEE') FROM t ORDER BY i NULLS LAST;
SELECT to_char(n, 'S9,999.99') FROM t ORDER BY i NULLS LAST;
SELECT random() < 1, random(1, 6) between 1 and 6 FROM t ORDER BY i NULLS LAST;
--! differs unsupported-function
SELECT erf(f / 1e10) FROM t ORDER BY i NULLS LAST;
SELECT gamma(abs(s % 5) + 1.0) FROM t ORDER BY i NULLS LAST;
--! differs unsupported-syntax
SELECT bit_count(i::bit(32)) FROM t ORDER BY i NULLS LAST;
--! differs unsupported-function
SELECT hashint4(1) FROM t ORDER BY i NULLS LAST;
--! differs unsupported-function
SELECT numeric_inc(n) FROM t ORDER BY i NULLS LAST;
--! differs unsupported-function
SELECT int4abs(i) FROM t ORDER BY i NULLS LAST;
SELECT to_hex(i), to_bin(abs(s)::int), to_oct(abs(s)::int) FROM t ORDER BY i NULLS LAST;
SELECT i::float4 / 3, s::float8 / 7, (n * n)::numeric(30,8) FROM t ORDER BY i NULLS LAST;
SELECT f = 'NaN', f + 'Infinity'::float8, 'NaN'::float8 > f FROM t ORDER BY i NULLS LAST;
SELECT float8(n), int4(f), numeric(i) FROM t ORDER BY i NULLS LAST;
SELECT int8(r) FROM t ORDER BY i NULLS LAST;
