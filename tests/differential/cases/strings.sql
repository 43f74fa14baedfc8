create table t (id int, s text, v varchar(12), c char(5));
insert into t values (1, 'Hello World', 'hello', 'ab'), (2, 'ünïcödé €', 'naïve', 'é'), (3, '', '', ''), (4, null, null, null), (5, '  padded  ', 'a,b,,c', 'abcde'), (6, E'quote''s \\ back', 'x_y%z', 'x'), (7, 'aaa', 'Aaa', 'a a');
select id, length(s), char_length(v), octet_length(s), bit_length(v) from t order by id;
select id, upper(s), lower(s), initcap(s) from t order by id;
select id, substring(s from 2 for 3), substring(s, 7), substr(s, 1, 4), left(s, 3), right(s, 3), left(s, -2), right(s, -2) from t order by id;
select substring(s from 0 for 3), substring(s, -1, 4), substr(s, 100) from t order by id;
select id, position('l' in s), strpos(s, 'o') from t order by id;
select id, trim(s), ltrim(s), rtrim(s), btrim(s, ' p'), trim(both 'a' from s), trim(leading 'H' from s), trim(trailing 'd' from s) from t order by id;
select id, replace(s, 'l', 'L'), translate(s, 'elo', '310'), reverse(s) from t order by id;
select id, lpad(v, 8, '*'), rpad(v, 8, 'xy'), lpad(v, 2), rpad(s, 3) from t order by id;
select id, repeat(v, 2), s || v, s || '-' || id from t order by id;
select concat() from t;
select id, concat(s, v, id), concat_ws('|', s, null, v) from t order by id;
select id, split_part(v, ',', 1), split_part(v, ',', 2), split_part(v, ',', -1) from t order by id;
select id, string_to_array(v, ','), array_to_string(string_to_array(v, ','), '+') from t order by id;
select id, ascii(s), chr(64 + id), md5(s) from t order by id;
select id, overlay(s placing 'XX' from 2 for 3) from t where id < 3 order by id;
select id, starts_with(s, 'He'), s ^@ 'He' from t order by id;
select id, quote_literal(s), quote_ident(v), quote_nullable(s) from t order by id;
select id from t where s like 'H%d' order by id;
select id from t where v like 'x\_y\%z';
select id from t where v like '_____' order by id;
select id from t where s not like '%a%' order by id;
select id from t where s ~~ 'a%' or s !~~* 'A%' order by id;
select id from t where c like 'ab%' order by id;
select id, c = 'ab', c || 'x', length(c), upper(c) from t order by id;
select id from t where s < v order by id;
select id from t order by s, id;
select id from t order by v desc, id;
select max(s), min(v), max(c) from t;
select s collate "C" < 'b' from t where id = 7;
select id from t order by s collate "C", id;
select s::bytea from t order by id;
select encode(convert_to(s, 'UTF8'), 'hex'), encode(convert_to(v, 'UTF8'), 'escape') from t order by id;
select to_hex(ascii(v)), id from t where id < 3 order by id;
select string_to_table(v, ',') from t where id = 5;
select regexp_split_to_table(v, ',') from t where id = 5;
select unnest(string_to_array(v, ',')) from t where id = 5;
select E'\x41\u0042\n' || s from t where id = 7;
select 'a' 'b' from t;
select 'con'
'cat' || v from t where id = 1;
select s like v, v like s from t order by id;
--! differs unsupported-function
select substring(s similar '%#"o_W#"%' escape '#') from t where id = 1;
--! differs unsupported-function
select normalize(s) = s, unistr('\00e9') from t where id = 2;
select sha256(s::bytea) from t where id = 7;
select id, s::varchar(3), v::char(3) || '|', s::name from t order by id;
select length(c::text), octet_length(c) from t order by id;
select s || null, 'x' || null::text from t where id = 1;
select id, strpos(s, ''), replace(s, '', 'x'), split_part(s, '', 1) from t where id = 1;
select translate(s, 'l', ''), lpad(s, -1, 'x'), repeat(s, 0) from t where id = 1;
select initcap('the quick-brown_fox o''neil ' || v) from t where id = 1;
--! differs unsupported-function
select parse_ident('a.b') || v from t where id = 1;
--! differs unsupported-function
select bit_count(s::bytea), get_byte(s::bytea, 0) from t where id = 1;
