select count(*) from t
select * from t
select t.*, u.* from t, u where t.a = u.a
select x.* from t as x(k, l) where k > 1
select k, c from t as x(k, l) where l = 'one'
select * from t join u using (a)
select a, t.a, u.a from t left join u using (a)
select a, t.a, u.a from t right join u using (a)
select a, t.a, u.a from t full join u using (a)
select * from t full join u using (a) full join w using (a)
select * from t natural join u
select * from t natural left join w
select * from t natural join big
select a, pg_typeof(a) from t join big using (a)
select a from t full join big using (a) where a > 2
select * from (t join u using (a)) j
select j.a, j.d from (t left join u on t.a = u.a) as j (a, b, c, x, d) where j.x is null
select * from (t cross join u) cross join w where t.a = u.a and w.a = t.a
select * from t join u join w on u.a = w.a on t.a = u.a
select * from t left join (u join w on u.a = w.a) on t.a = u.a
select * from t, u left join w on u.a = w.a where t.a = 1
select * from t left join lateral (select max(d) as m from u where u.a = t.a) l on true
select * from t cross join lateral (select t.a + d as z from u where u.a = t.a) l
select * from t, lateral (values (t.a, 'v'), (t.a + 10, 'w')) as l(n, s) where t.a < 3
select t.a, x from t left join lateral (select d as x from u where u.a = t.a order by d limit 1) q on true
select (select d from u where u.a = t.a order by d limit 1) from t
select a, (select count(*) from u where u.a = t.a) from t
select a from t where exists (select from u where u.a = t.a)
select a from t where not exists (select 1 from u where u.a = t.a and u.d > 100)
select a from t where a in (select a from u)
select a from t where a not in (select a from u where a is not null)
select a from t where a not in (select a from w)
select a from t where (a, b) in (select a, b from t where c > 1)
select a from t where a = any (select a from u)
select a from t where a > all (select a from u where a < 3)
select a from t where a = any (array[1, 3])
select array(select a from t order by a desc nulls last)
select 1 where (select max(a) from t) > 2
select a from t where b = (select max(b) from t t2 where t2.a = t.a)
select o.a from t o where o.c > (select avg(c) from t i where i.b = o.b)
select a from t where exists (select 1 from u where u.a = t.a and exists (select 1 from w where w.a = u.a and w.e > t.c))
with x as (select a, d from u) select * from x
with x(p, q) as (select a, d from u) select q, p from x where p = 1
with x as materialized (select a from t), y as not materialized (select a + 1 as b from x) select * from x, y where x.a = y.b
with x as (select 1 as n), x2 as (with x as (select 2 as n) select n from x) select * from x, x2
with t as (select 42 as a) select * from t
with recursive r(n) as (select 1 union all select n + 1 from r where n < 10) select sum(n) from r
with recursive r as (select a, c, 0 as depth from t where a = 1 union select t.a, t.c, depth + 1 from t, r where t.a = r.a + 1) select * from r
with recursive r(n, s) as (select 1, 'a'::text union all select n + 1, s || 'b' from r where n < 4) select * from r
with recursive f(a, b) as (select 0::numeric, 1::numeric union all select b, a + b from f where b < 1000) select a from f
with recursive a1 as (select 1 as x), b1 as (select x + 1 as y from a1) select * from a1, b1
select * from (with z as (select a from t) select * from z) q
select a from t union select a from u
select a from t union all select a from u
select a from t intersect select a from u
select a from t except select a from u
select a from t except all select a from u
select a from t intersect all select a from u
select a from t union select a from u intersect select a from w
(select a from t union select a from u) intersect select a from w
select a, b from t union all select a, null from u
select 1 as x union select 2.5 union select null
select a::smallint from t union select a::bigint from u
select 'x' union all select 'y'
select null union all select 1
(select a from t order by a limit 2) union all (select a from u order by a desc limit 1) order by 1
select a from t union all select a from u order by a desc limit 3 offset 1
select a as k, b from t union all select a, 'u' from u order by k nulls first, b
select distinct b from t
select distinct b, c from t order by b, c
select distinct on (b) b, a, c from t order by b, a desc
select distinct on (b, c) * from t order by b, c, a
select distinct on (1) b, c from t order by 1, 2
select b as grp, count(*) from t group by grp
select b as a, count(*) from t group by a, b
select a % 2, count(*) from t group by 1 order by 1
select a % 2 as parity, sum(c) from t group by parity having sum(c) > 1 order by parity
select 'lit' as l, count(*) from t group by l
select 5 as five, count(*) from t group by five
select count(*) from t group by ()
select b, count(*) from t group by rollup (b)
select b, c, count(*) from t group by cube (b, c)
select b, c, count(*), grouping(b, c) from t group by grouping sets ((b, c), (b), ())
select b, c, count(*) from t group by b, grouping sets ((c), ())
select b, c, count(*) from t group by rollup ((b, c), a)
select b, c, count(*) from t group by distinct rollup (b, c), rollup (b)
select upper(b), count(*) from t group by upper(b) order by upper(b)
select b from t group by b having b is not null
select max(c) from t having max(c) > 0
select t.b, count(u.d) from t left join u on t.a = u.a group by t.b order by count(u.d) desc, t.b
select id, name, count(*) from keyed group by id
select keyed.*, count(u.a) from keyed left join u on u.a = keyed.id group by keyed.id order by keyed.id
select name || '!', id from keyed group by id order by name
select a from t order by c desc, a
select a as x from t order by x desc nulls last
select a, -a as a2 from t order by -a
select a as b, b as a from t order by a, b
select a from t order by a + 1 desc nulls first limit 2
select a from t order by 1 offset 2
select a from t order by a limit 2 offset 1
select a from t order by a limit null
select a from t order by a limit all offset 1
select a from t order by a limit 1 + 1
select a from t order by a limit (select 2)
select a from t order by a fetch first 2 rows only
select c from t order by c fetch first 1 row with ties
select b, c from t order by c offset 1 rows fetch next 2 rows with ties
select b, count(*) from t group by b order by count(*) desc fetch first 1 rows with ties
select distinct c from t order by c fetch first 2 rows with ties
values (1, 'a'), (2, 'b')
values (1, 2.5), (null, 3)
values (1), (2) order by 1 desc limit 1
select * from (values (1, 'a'), (2, null)) v
select column1, column2 from (values (1, 'a'), (2, null)) v
select * from (values (1, 'a'), (2, null)) v(n, s) join t on t.a = v.n
select sum(x) from (select a as x from t union all select d from u) q
select q.* from (select a, a from t) q
select q.x from (select a as x, a + 1 as y from t) q where q.y > 2
select row_number() over (order by a), a from t
select a, sum(c) over (partition by b order by a) from t order by a
select a, sum(c) over w, count(*) over w from t window w as (partition by b order by a rows between unbounded preceding and current row) order by a
select a, rank() over (w order by c) from t window w as (partition by b) order by a
select b, sum(count(*)) over (order by b) from t group by b
select a, lag(c, 1, 0) over (order by a), lead(b) over (order by a) from t
select count(*) filter (where a > 1), sum(c) filter (where b = 'one') from t
select * from v
select p, q from v where p > 1
select v.*, w.e from v join w on w.a = v.p
select * from v2
select * from vagg order by 1
select x.p from v x, v y where x.p = y.p
select g from generate_series(1, 3) g
select * from generate_series(1, 3)
select * from generate_series(1, 6, 2) as s(n)
select * from generate_series(1, 2) with ordinality
select * from generate_series(10, 12) with ordinality as s(v, n)
select t.a, g from t, generate_series(1, t.a) g where t.a < 4 order by 1, 2
select t.a, g from t left join generate_series(1, t.a) g on g > 1 order by 1, 2
select * from unnest(array[3, 1, 2]) u
select * from unnest(array['x', null]) with ordinality as u(v, n)
select t.a, x from t, unnest(array[t.a, t.c]) x order by 1, 2
select a, unnest(array[1, 2]) from t where a = 1
select generate_series(1, 3)
select * from abs(-3)
select * from now() n where n is null
select * from (select 1) one, (select 2) two
select "A", "a b", "select" from "Quoted"
select "Quoted"."A" from "Quoted" order by "a b"
select q."A" as "X" from "Quoted" q
select binding.t.a from binding.t
select t.a from binding.t
select a, a + 1, -a, b || 'x', case when a > 1 then 1 end, coalesce(a, 0), count(*) over (), (a), a::text, (select 1), array[a], exists (select 1), nullif(a, 1), upper(b), a is null, cast(a as bigint), greatest(a, 1), row_number() over () from t where a = 1
select t.a as "select", 1 as "Case Kept" from t limit 1
select true, false, null, 'x', 1.50, current_date = current_date
select sum(a), avg(a), min(b), max(c) from t
select 1 as a, 2 as a
select * from (select 1 as a, 2 as a) x
select count(*), b from t where a is not null group by b order by 2
select a from t where b is null or b like 'o%' order by a
select a from t where a between 2 and 3
select a from t where a between symmetric 3 and 2
select a from t for update
select a from t order by a for share nowait
select (t).b from t where a = 1
select count(t) from t
select t is null from t where a = 1
select a from t where t.a = 1 and t.b = 'one' and c in (1, 2, 3)
select * from t a join t b on a.a = b.a + 1 join t c on c.a = b.a
select * from t t1, t t2 where t1.a = t2.c
select a from only t where a = 1
table w
select * from heap join t on heap.h = t.a
select max(a) filter (where c > 1) as m, b from t group by b order by m nulls first, b
select a, b from t order by b collate "C" desc, a
select a from t where c = (select c from t where a = 1) or a = (select max(a) from u)
select coalesce(u.d, -1) as v from t left join u on t.a = u.a and u.d > 10 order by v
select * from t left join u on t.a = u.a where u.a is null
select distinct t.b from t join u using (a) order by 1
select x.n, (select count(*) from generate_series(1, x.n)) from (values (1), (3)) x(n)
select (select x from (values (1), (2)) v(x) where x = t.a) from t order by a
select json_agg(a order by a) from t
select string_agg(b, ',' order by a desc) from t
select a, b from t group by a, b order by a, b limit 2
select exists (select 1 from t where a > 100)
select not exists (select 1 from t), (select null::int)
select s.total from (select b, sum(c) as total from t group by b) s where s.total > 1
with a as (select 1 x), b as (select x from a union all select x + 1 from a) select * from b order by x
select * from (select a, row_number() over (partition by b order by a) as rn from t) z where rn = 1 order by a
select t.a, (select sum(d) from u where u.a = t.a having count(*) > 0) from t order by 1
select (select t.a + u2.a from u u2 where u2.a = t.a limit 1) from t order by 1
select least(t.a, u.a) from t join u on t.a >= u.a order by 1
select t.a from t where t.a in (select u.a from u where u.a in (select w.a from w where w.a = t.a))
select * from unnest(array[1,2], array['x','y','z']) as z(n, s)
select * from unnest(array[1,2], array['x','y','z']) with ordinality
select a from t where a = 1 for update of t skip locked
select all a from t where a = 1
select a from t order by a limit 2::bigint
select a from t order by a limit '2'
select a from t order by a offset 0
select a from t order by a fetch first (1 + 1) rows only
select a from t order by a offset 1 row fetch next row only
select t.* , 1 from t where t.* is not null
select (t).* from t where a = 1
select count(t.*) from t
select count(distinct t) from t
select t.a as "order" from t order by "order" limit 1
select x."A" from "Quoted" as x order by x."A" desc
select * from t where (a, c) in ((1, 1), (3, 3))
select * from t where (a, c) = (1, 1)
select * from t where (a, c) < (2, 5)
select * from t where row(a, c) is distinct from row(1, 1)
select * from t where (a, b) = (select a, b from t where a = 2)
select (select row(1, 2)) is null
select exists (select 1 from t where a = 1) as e, a from t order by a limit 1
select case when exists (select 1 from u where u.a = t.a) then 'y' else 'n' end as f, a from t order by a
select sum(x) over () from (select a x from t where a < 3) s
select a, (select string_agg(d::text, ',' order by d) from u where u.a = t.a) from t order by a
select * from (select a from t order by a desc limit 2) z order by a
select z.q from (select a, b from t) as z(q) where z.b = 'two'
select t1.a, t2.a from t t1 left join t t2 on t2.a = t1.a - 1 and exists (select 1 from u where u.a = t2.a) order by 1, 2
select a from t where a = any (select a from u union select e / 100 from w) order by 1
select a, b from t union (select a, f from big order by a limit 1) order by 1, 2
select b, array_agg(a order by a) from t group by b order by b
select a, b, c from t group by a, b, c order by a
select count(*) as "count", count(a) from t
select t.a, count(*) over (partition by t.b) c from t join u on u.a = t.a order by t.a, c
select a from t where b in ('one', 'two') and a not in (2) order by 1
select a from t where not (a = 1 or b is null)
select t.a, s.m from t join (select a, max(d) m from u group by a) s on s.a = t.a order by 1
select t.a from t join u on u.a = t.a group by t.a having count(*) > 1
select min(a), max(a) from t where a > 100
select a + 1 as a from t order by a
select a + 1 as a from t group by a order by a
select -a as a from t order by a + 1
with q as (select a, c from t), s as (select sum(c) as tot from q) select a, c, tot from q, s order by a
with recursive tree(id, path) as (select 1, array[1] union all select id + 1, path || (id + 1) from tree where id < 3) select * from tree
with recursive n(i) as (values (1) union all select i + 1 from n where i < 3) select * from n
with recursive n(i, s) as (select 1, 'x' union all select i + 1, s || 'y' from n where i < 3) select * from n
with recursive n(i) as (select a from t where a = 1 union select n.i + 1 from n join t on t.a = n.i) select * from n order by 1
with x(a) as (values (1), (2)) select * from x natural join t
select * from generate_series(1, 3) a, generate_series(1, a) b order by 1, 2
select * from generate_series(timestamp '2024-01-01', '2024-01-02', '12 hours') g
select g.g, t.b from generate_series(1, 3) g left join t on t.a = g.g order by 1
select i, (i * i)::text from generate_series(1, 3) as x(i)
select * from json_each('{"a": 1, "b": "x"}') order by 1
select * from jsonb_array_elements('[1, 2]') with ordinality
select t.a, e.value from t, jsonb_array_elements_text(jsonb_build_array(t.a, t.c)) e where t.a = 1
select * from regexp_split_to_table('a,b', ',') r
select * from string_to_table('a-b', '-') as s(p)
select upper(s) from unnest(string_to_array('a b', ' ')) s
select * from t, lateral generate_series(1, t.a) as g(x) where g.x = t.a order by t.a
select max(x), min(x) from (select generate_series(1, 5) as x) s
select generate_series(1, 2), generate_series(1, 3)
select a, generate_series(1, a) as g from t where a < 3 order by a, g
select distinct on (a) a, d from u order by a, d desc
select distinct a, count(*) over (partition by a) from u order by 1
select u.a, count(*) c, rank() over (order by count(*) desc) from u group by u.a order by c desc, 1
select a, d, sum(d) over (partition by a order by d rows between 1 preceding and current row) from u order by a, d
select a, first_value(d) over w, last_value(d) over w from u window w as (partition by a order by d range between unbounded preceding and unbounded following) order by 1, 2
select ntile(2) over (order by a), a from t order by a
select a, sum(c) filter (where c > 1) over (order by a) from t order by a
select coalesce(t.a, u.a) from t full join u on t.a = u.a and t.c > 1 order by 1
select t.a, u.d from t full join u on t.a = u.a where t.a is null or u.a is null order by 1, 2
select * from t full join u on false order by t.a, u.a, u.d
select count(*) from t cross join u
select count(*) from t, u, w
select a from t natural join (select a from u) q order by 1
select * from (select 1 as a) x natural join (select 2 as b) y
select * from (select 1 as a) x join (select 1 as a, 2 as c) y using (a) join (select 1 as a, 3 as d) z using (a)
select x.a, y.a, a from (select 1 as a) x left join (select 2 as a) y using (a)
select pg_catalog.upper(b) from t where a = 1
select b::varchar(2), cast(c as numeric(4,1)) from t order by a limit 1
select v2.*, v.q from v2 join v on v.p = v2.x order by 1, 2
select * from sv where k = 1
select k from renamed order by l
select s.k from sv s where s.label = 'one' and exists (select 1 from v where v.p = s.k) order by 1
select length(b), char_length(b) from t order by 1 nulls last limit 1
select 1 union select 1.0 union all select 2::float8 order by 1
select null as n union select null
select a from t union select null order by 1 nulls first
select array[1, 2] union select array[1, 2]
select '2024-01-01'::date as d union all select '2023-01-01' order by d
select interval '1 day' union all select '2 hours'
(values (1, 'x')) union all (values (2, 'y')) order by 2 desc
table t union all table t order by a, b limit 3
select * from t except select * from t where a = 1 order by 1
select tableoid is not null from t limit 1
