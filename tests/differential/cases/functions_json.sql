-- Functions and operators of json, jsonb and arrays, over stored columns.
CREATE TABLE t (k int, j json, b jsonb, a int[], v text[]);
INSERT INTO t VALUES (1, '{"a": 1, "b": {"c": [1, 2, {"d": "x"}]}, "n": null}', '{"a": 1, "b": {"c": [1, 2, {"d": "x"}]}, "n": null}', '{1,2,3}', '{x,y}'), (2, '[1, "two", 3.5, null, true]', '[1, "two", 3.5, null, true]', '{}', '{}'), (3, NULL, NULL, NULL, NULL), (4, '"text"', '"text"', '{5,NULL,5}', '{"a b",NULL}'), (5, '{}', '{}', '{-1}', '{x}');
SELECT k, j -> 'a', j ->> 'a', b -> 'b' -> 'c' FROM t ORDER BY k;
SELECT k, b ->> 'b' FROM t ORDER BY k;
--! differs jsonb-as-text
SELECT k, b -> 0 FROM t ORDER BY k;
SELECT k, b ->> 1 FROM t ORDER BY k;
--! differs jsonb-as-text
SELECT k, b -> -1 FROM t ORDER BY k;
SELECT k, j -> 1 FROM t ORDER BY k;
SELECT k, j #> '{b,c,2,d}', j #>> '{b,c,2,d}', b #> '{b,c}' FROM t ORDER BY k;
SELECT k, b #>> '{b,c,0}', b #>> '{1}' FROM t ORDER BY k;
SELECT k, b ? 'a', b ?| array['x', 'a'], b ?& array['a', 'b'] FROM t ORDER BY k;
SELECT k, b @> '{"a": 1}' FROM t ORDER BY k;
SELECT k, b <@ '{"a": 1, "z": 2}' FROM t ORDER BY k;
SELECT k, b @> '[1]' FROM t ORDER BY k;
SELECT k, json_typeof(j), jsonb_typeof(b), jsonb_typeof(b -> 'b') FROM t ORDER BY k;
SELECT k, json_array_length('[1,2]'::json), jsonb_array_length('[1]'::jsonb) FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, jsonb_pretty(b) FROM t ORDER BY k;
SELECT k, j::text FROM t ORDER BY k;
SELECT k, b::text FROM t ORDER BY k;
SELECT k, j::jsonb, b::json FROM t ORDER BY k;
SELECT k, b - 'a' FROM t ORDER BY k;
SELECT k, b - 'zz' FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, b #- '{b,c}' FROM t ORDER BY k;
SELECT k, b || '{"z": 1}', b || '[9]' FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, jsonb_set('{"a": 1}', '{a}', coalesce(b, '0')) FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, jsonb_set(b, '{a}', '2') FROM t ORDER BY k;
SELECT k, jsonb_insert('[1,2]', '{1}', '9') FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, jsonb_strip_nulls(b) FROM t ORDER BY k;
SELECT k, to_json(k) FROM t ORDER BY k;
SELECT k, to_jsonb(a) FROM t ORDER BY k;
SELECT k, to_jsonb(v) FROM t ORDER BY k;
SELECT k, to_json('x'::text), row_to_json(row(k, 'x')), array_to_json(a) FROM t ORDER BY k;
SELECT k, json_build_object('k', k, 'a', a) FROM t ORDER BY k;
SELECT k, jsonb_build_array(k, v, null) FROM t ORDER BY k;
SELECT k, json_build_array(1, 'x', k) FROM t ORDER BY k;
SELECT k, json_object('{a,1,b,2}'), jsonb_object(array['k'], array['v']) FROM t ORDER BY k;
--! differs jsonb-as-text
SELECT k, json_extract_path(j, 'b', 'c') FROM t ORDER BY k;
SELECT k, jsonb_extract_path_text(b, 'b', 'c', '0') FROM t ORDER BY k;
SELECT k, json_extract_path_text(j, 'a') FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, jsonb_path_exists(b, '$.a') FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, jsonb_path_query_first(b, '$.b.c[0]') FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, jsonb_path_query_array(b, '$.b.c[*]') FROM t ORDER BY k;
--! differs unsupported-syntax
SELECT k, b @? '$.a' FROM t ORDER BY k;
--! differs unsupported-syntax
SELECT k, b @@ '$.a == 1' FROM t ORDER BY k;
SELECT k, (b ->> 'a')::int + 1, (b -> 'a')::int, (b ->> 'n') is null FROM t ORDER BY k;
SELECT k, b -> 'n' is null, b['a'], b['b']['c'][1] FROM t ORDER BY k;
SELECT k, b = '{}', b <> '[]', b is null FROM t ORDER BY k;
SELECT k, j is json, '{"a":1}' is json object, b::text = '{}' FROM t ORDER BY k;
SELECT k, a[1], a[2:3], a[-1] FROM t ORDER BY k;
SELECT k, v[1] FROM t ORDER BY k;
--! differs array-binary-bounds
SELECT k, a[1:1] FROM t ORDER BY k;
SELECT k, array_length(a, 1) FROM t ORDER BY k;
SELECT k, cardinality(a), array_ndims(a), array_lower(a, 1) FROM t ORDER BY k;
SELECT k, array_upper(a, 1) FROM t ORDER BY k;
SELECT k, a || 9, 0 || a, a || a FROM t ORDER BY k;
SELECT k, array_append(a, 4), array_prepend(4, a), array_cat(a, array[7]) FROM t ORDER BY k;
SELECT k, v || 'z'::text FROM t ORDER BY k;
SELECT k, array_position(a, 2), array_positions(a, 5), array_remove(a, 5) FROM t ORDER BY k;
SELECT k, array_replace(a, 5, 6), array_to_string(a, ','), array_to_string(a, ',', 'N') FROM t ORDER BY k;
SELECT k, array_dims(a) FROM t ORDER BY k;
SELECT k, a @> array[1], a <@ array[1, 2, 3, 4], a && array[5, 9] FROM t ORDER BY k;
SELECT k, 2 = any(a), 2 <> all(a), k = any(array[1, 2]) FROM t ORDER BY k;
SELECT k, a = array[1, 2, 3], a < array[2], a is distinct from '{}' FROM t ORDER BY k;
SELECT k, array_fill(k, array[2]) FROM t ORDER BY k;
SELECT k, trim_array(array[1, 2, 3], 1) FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, array_sample(array[1], 1) FROM t ORDER BY k;
SELECT k, array_reverse(a), array_sort(a) FROM t ORDER BY k;
SELECT k, a::text, a::bigint[], v::varchar[] FROM t ORDER BY k;
SELECT k, '{1,2}'::int[] = a, array[k, null], array[a[1], 2]::text FROM t ORDER BY k;
SELECT k, (select sum(x) from unnest(a) as x), (select count(*) from jsonb_array_elements(case when jsonb_typeof(b) = 'array' then b else '[]' end)), array(select x * 2 from unnest(a) x order by x) FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, json_scalar(k) FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, json_serialize(j) FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, json_value(b, '$.a') FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, json_query(b, '$.b') FROM t ORDER BY k;
--! differs unsupported-function
SELECT k, json_exists(b, '$.b') FROM t ORDER BY k;
SELECT k, jsonb_agg(a) over () FROM t ORDER BY k;
SELECT k, array_agg(k) over (order by k) FROM t ORDER BY k;
SELECT k, max(a) over () FROM t ORDER BY k;
SELECT k, (select string_agg(key, ',' order by key) from jsonb_object_keys(case when jsonb_typeof(b) = 'object' then b else '{}' end) key) FROM t ORDER BY k;
--! differs jsonb-as-text
SELECT k, (select jsonb_agg(e order by e::text) from jsonb_each_text('{"x": 1}') e) FROM t ORDER BY k;
