create table t (id int, j json, b jsonb);
insert into t values (1, '{"a": 1, "b": {"c": "deep"}, "arr": [1, 2, {"x": true}]}', '{"a": 1, "b": {"c": "deep"}, "arr": [1, 2, {"x": true}]}'), (2, '[10, 20, null]', '[10, 20, null]'), (3, '"str"', '"str"'), (4, '{"a": null, "z": 1.50, "a2": "quote\"d"}', '{"z": 1.50, "a": null, "a2": "quote\"d"}'), (5, null, null), (6, '{"dup": 1, "dup": 2,   "sp" : [ ]}', '{"dup": 1, "dup": 2,   "sp" : [ ]}');
select * from t order by id;
select id, j -> 'a', b -> 'a', j ->> 'a', b ->> 'a' from t order by id;
--! differs jsonb-as-text
select id, j -> 1, b -> 1, j ->> 1, b -> -1 from t order by id;
select id, j #> '{b,c}', b #>> '{b,c}', b #>> '{arr,2,x}' from t order by id;
select id, b -> 'b' ->> 'c', (b ->> 'a')::int + 1 from t where id = 1;
select id, jsonb_typeof(b), json_typeof(j), jsonb_typeof(b -> 'arr') from t order by id;
select id, jsonb_array_length(b -> 'arr'), json_array_length(j -> 'arr') from t where id = 1;
select jsonb_array_length(b) from t where id = 1;
select id from t where b ? 'a' order by id;
select id from t where b @> '{"a": 1}' order by id;
select id from t where b <@ '{"a": 1, "b": {"c": "deep"}, "arr": [1, 2, {"x": true}], "more": 1}' order by id;
select id from t where b ?| array['z', 'q'] order by id;
select id from t where b ?& array['a', 'b'] order by id;
select id from t where b = '[10, 20, null]';
select id from t where b ->> 'a' is null order by id;
select id from t where (b -> 'a') = '1';
select jsonb_array_elements(b) from t where id = 2;
select value from t, jsonb_array_elements_text(b) where id = 2;
select key, value from t, jsonb_each(b) where id = 1 order by key;
--! differs jsonb-as-text
select key, value from t, jsonb_each_text(b) where id = 4 order by key;
select jsonb_object_keys(b) from t where id = 1 order by 1;
--! differs unsupported-function
select b || '{"new": 1}', b - 'a', b #- '{b,c}' from t where id = 1;
--! differs unsupported-function
select jsonb_set(b, '{a}', '99'), jsonb_insert(b, '{arr,0}', '"first"') from t where id = 1;
select jsonb_build_object('id', id, 'b', b -> 'a'), jsonb_build_array(id, 'x', null) from t where id = 1;
select json_build_object('id', id, 'name', 'n' || id), json_build_array(id, true) from t where id = 1;
select to_json(id), to_jsonb('x' || id), to_jsonb(id = 1) from t where id = 1;
select row_to_json(r) from (select id, b ->> 'a' as a from t where id = 1) r;
--! differs unsupported-function
select jsonb_pretty(b) from t where id = 2;
--! differs unsupported-function
select jsonb_strip_nulls(b) from t where id = 4;
--! differs jsonb-as-text
select b #>> '{}', j::text, b::text, j::jsonb from t order by id;
--! differs unsupported-function
select jsonb_path_query(b, '$.arr[*]') from t where id = 1;
--! differs unsupported-function
select jsonb_path_exists(b, '$.a'), b @? '$.b.c', b @@ '$.a == 1' from t where id = 1;
--! differs jsonb-as-text
select id from t order by b, id;
select count(distinct b) from t;
select max(id) filter (where b ? 'a') from t;
select (b -> 'a')::int, (b -> 'arr' -> 0)::numeric from t where id = 1;
select (b -> 'b')::int from t where id = 1;
--! differs jsonb-as-text
select jsonb_extract_path_text(b, 'b', 'c'), json_extract_path(j, 'b') from t where id = 1;
--! differs unsupported-function
select * from t, jsonb_to_record(b) as r (a int, z numeric) where id in (1, 4) order by id;
insert into t values (7, '{bad', null);
insert into t values (7, null, '{"a": }');
update t set b = b || '{"u": 1}' where id = 1 returning b ->> 'u';
select jsonb_agg(jsonb_build_object('id', id) order by id) from t where id < 3;
