-- Functions and operators of strings, over stored columns.
CREATE TABLE t (k int, v text, w varchar(20), c char(6), b bytea);
INSERT INTO t VALUES (1, 'Hello, World', 'abcabc', 'xy', '\x00ff10'), (2, '', '', '', ''), (3, NULL, NULL, NULL, NULL), (4, '  näïve Ωmega  ', 'It''s 50%', 'a b', 'text'), (5, 'a1b22c333', 'A_B%C', 'ABCDEF', '\x61626364');
SELECT length(v), char_length(w), character_length(c) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT octet_length(v), bit_length(v), octet_length(c) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT length(b) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT upper(v), lower(v), initcap(v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT reverse(v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT v || w, v || k, c || w FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT k || v, concat(v, w, k), concat_ws('-', v, w, k) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT left(v, 3), right(v, 3), left(v, -2) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT right(v, -2) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT substr(v, 2, 3), substring(v from 2 for 4), substring(v, 3) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT substring(v from '[a-z]+') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-syntax
SELECT substring(w similar '%#"bc#"%' escape '#') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT trim(v), btrim(v, ' a'), ltrim(v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT rtrim(v), trim(both 'H' from v), trim(leading from v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT trim(trailing 'd' from v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT lpad(v, 5), lpad(w, 8, '*'), rpad(v, 15, 'ab') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT lpad(v, 0), rpad(w, 2) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT position('l' in v), strpos(v, 'o'), position('' in v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT replace(v, 'l', 'L'), translate(v, 'abc', 'xy'), overlay(v placing 'XX' from 2 for 3) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT overlay(w placing '' from 1) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT split_part(v, ',', 1), split_part(v, 'l', -1), split_part(w, 'c', 9) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT repeat(w, 2), repeat(v, 0), repeat(w, -1) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT ascii(v), chr(65 + k), md5(v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT sha256(b), encode(b, 'hex'), encode(b, 'base64') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT encode(b, 'escape'), decode('0aff', 'hex') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT starts_with(v, 'He'), v ^@ 'a', v like 'H%' FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT v like '%\%%', w like '%\_%', v ilike 'h%' FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT v not like '%o%' FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT v ~ '[0-9]', v ~* 'WORLD', v !~ 'x' FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT v !~* 'hello', v similar to '(H|a)%' FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT regexp_replace(v, '[aeiou]', '*') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT regexp_replace(v, '[aeiou]', '*', 'g') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT regexp_replace(v, '(\w)(\w)', '\2\1') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT regexp_replace(v, 'L', 'x', 'gi') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT regexp_match(v, '([a-z]+)'), regexp_count(v, 'l'), regexp_instr(v, 'o') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT regexp_substr(v, '[0-9]+'), regexp_like(v, 'hello', 'i') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT regexp_split_to_array(v, '[ ,]+'), string_to_array(w, 'b'), array_to_string(string_to_array(w, 'b'), '+') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT string_to_array(v, NULL) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT quote_literal(v), quote_ident(w), quote_nullable(v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT format('%s-%s', k, v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs format-null
SELECT format('%I.%L', w, v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT format('%5s|%-5s|', w, k) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT to_hex(k), to_number('12,454.8-', '99G999D9S'), to_char(k, 'RN') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT to_char(k, '999') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT v = w, v < w, v <> 'a' FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT v >= '', c = 'xy', c = 'xy    ' FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT c < w, v is null, coalesce(v, w) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT c::text, c::varchar, v::char(3) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT v::varchar(4), w::name, k::text FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT 'x'::char(3) || '|' FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT length(c), c || '|', upper(c) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT c like 'xy%' FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs bpchar-patterns
SELECT c ~ 'y$' FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT position('b' in c) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-function
SELECT normalize(v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-function
SELECT v is normalized FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT unistr('\0041') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT casefold(v) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-function
SELECT get_byte(b, 0) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-function
SELECT set_byte(b, 0, 65) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-function
SELECT get_bit(b, 1) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT b || '\x01'::bytea FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT substr(b, 1, 2) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-function
SELECT position('\xff'::bytea in b) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT convert_from(b, 'UTF8'), convert_to(v, 'UTF8') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-function
SELECT left(encode(sha224(b), 'hex'), 8) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-function
SELECT crc32(b) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT string_agg(v, ',' ORDER BY k) OVER (ORDER BY k), min(v) OVER (), max(w) OVER () FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT v collate "C" < w, lower(v) collate "C", least(v, w) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT greatest(v, w) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-function
SELECT parse_ident('a.b') FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
--! differs unsupported-function
SELECT btrim(b, '\x00'::bytea) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT bit_length(b) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT to_ascii('x'), char_length(v) + length(w) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT cast(k as text) || v, v::text::varchar(3), cast(v as char) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
SELECT textcat(v, w), text(k > 2) FROM t WHERE octet_length(coalesce(b, ' ')) > 0 ORDER BY k;
CREATE TABLE words (k int, v text);
INSERT INTO words VALUES (1, 'ä9_'), (2, 'Ω mega'), (3, '٣'), (4, U&'a\00a0b'), (5, 'plain words'), (6, 'ÄÖ'), (7, E'tab\there');
SELECT k, v ~ '^\w+$', v ~ '\W', v ~ '[[:alpha:]]', v ~ '[\w]', v ~ '\d', v ~ '\s', v ~ '\S' FROM words ORDER BY k;
SELECT k, v ~ '[[:upper:]]', v ~ '[[:lower:]]', v ~ '[[:digit:]]', v ~ '^[[:alnum:]]+$', v ~ '[[:space:]]', v ~ '[^[:alpha:]]' FROM words ORDER BY k;
SELECT k, regexp_replace(v, '\s', '-', 'g'), regexp_split_to_array(v, '\s+'), regexp_count(v, '\w') FROM words ORDER BY k;
--! differs regex-classes
SELECT k, v ~ '\ymega', 'äb' || v ~ '\yb' FROM words ORDER BY k;
