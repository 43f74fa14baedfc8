create table t (id int, s text, n numeric(8,2), d date, b boolean, a int[]);
copy t from stdin;
1	one	1.50	2024-01-01	t	{1,2}
2	tab\there	\N	\N	f	\N
3	back\\slash	-3.25	2024-02-29	\N	{}
\.
select * from t order by id;
copy t (id, s) from stdin with (format csv);
4,"quoted, ""text"""
5,
6,""
\.
copy t (s, id) from stdin with (format csv, header, delimiter ';', null 'NIL');
s;id
x;7
NIL;8
\.
copy t (id, s) from stdin with (format csv, quote '''', force_not_null (s));
9,'it''s'
10,
\.
copy t (id, s) from stdin (delimiter '|', null '-');
11|a
12|-
\.
select id, s, s is null from t where id > 3 order by id;
copy t (id, n) from stdin;
13	x
\.
copy t (id, n) from stdin;
13	1	2
\.
copy t (id, n) from stdin;
13
\.
copy t (id, nosuch) from stdin;
\.
copy nosuch from stdin;
\.
copy t (id) from stdin;
99999999999
\.
copy t (id, s) from stdin csv;
14,"unterminated
\.
select count(*) from t;
copy (select id, s, n from t order by id) to stdout;
copy (select id, s, n, d, b, a from t order by id) to stdout with (format csv, header);
copy (select id, s from t order by id) to stdout with (format csv, force_quote *, null 'N');
copy (select id, s from t order by id) to stdout with (delimiter '|', null '');
copy t to stdout;
copy t (s, id) to stdout csv;
copy (values (1, 'x'), (2, E'a\nb')) to stdout;
copy (select nosuch from t) to stdout;
copy t from stdin with (format nosuch);
\.
copy t from stdin with (delimiter 'ab');
\.
copy t to stdout with (header true, format text);
copy (select count(*) from t where n > 0) to stdout;
create table must (a int not null, b int check (b > 0));
copy must from stdin;
1	1
\N	2
\.
copy must from stdin;
1	1
2	-1
\.
select count(*) from must;
copy must from stdin with (format csv, header match);
a,b
5,6
\.
copy must from stdin with (format csv, header match);
a,c
5,6
\.
select * from must;
