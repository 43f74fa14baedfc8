insert into t values (7, 'seven', 70)
insert into t (c, a) values (1, 2), (3, null)
insert into t values (8, 'x'), (9, 'y') returning *
insert into t (b) select f from big returning a, b, upper(b) as loud
insert into t select a, f from big
insert into t (a, b) select 20, 'lit' union all select 21, null
insert into t (b, a) select '5', '6'
insert into t (a) values ('12'), (13.6), (2 + 3)
insert into t (a) (select d from u order by d limit 2)
insert into t with x as (select 1 as n) select n, 'with', n + 1 from x
with x as (select max(a) as m from t) insert into t (a) select m + 1 from x
insert into t (a, b, c) values (1, (select max(b) from t), (select count(*) from u)) returning c
insert into d default values
insert into d (a) values (1), (default), (3) returning *
insert into d values (default, default, default), (5, 'given', null)
insert into d (b, c) values ('x', 2.345)
insert into d (a, b) select a, null from u where a is not null
insert into t as z (a) values (99) returning z.a, z.*
insert into t (a) values (1) returning (select count(*) from u), a + 1 as next
insert into t (a) values (1) returning old.a, new.a
update t set c = c + 1
update t set c = c + 1, b = b || '!' where a > 1
update t set a = c, c = a where a is not null returning *
update t as x set b = 'new' where x.a = 1 returning x.b
update t set b = u.d::text from u where t.a = u.a and u.d <> 11
update t set c = u.d from u where t.a = u.a and u.d >= 30 returning t.*, u.d
update t set c = s.m from (select a, max(d) as m from u group by a) s where s.a = t.a returning t.a, t.c, s.m
update t set (b, c) = ('row', 5) where a = 2
update t set (b, c) = row('row', 5) where a = 2
update t set (b, c) = (select f, 7 from big where big.a = t.a) where a in (1, 2)
update t set c = (select sum(d) from u where u.a = t.a)
update t set c = null where b is null
update t set c = 1.6 where a = 1
update d set b = default, c = default where a = 10 returning *
update t set a = a where false returning a
update t set c = w.e from u join w on u.a = w.a where u.a = t.a and u.d in (10, 30)
with x as (select max(a) as m from t) update t set c = x.m from x where t.a = x.m returning t.c
update t set c = c * 2 where a = 1 returning old.c, new.c, c
update t t1 set b = t2.b from t t2 where t2.a = t1.a + 1 and t1.a < 3
delete from t
delete from t where a = 1
delete from t where b is null returning *
delete from t where a in (select a from u)
delete from t using u where u.a = t.a returning t.a, t.b
delete from t x using u where u.a = x.a and u.d > 10 returning x.*, u.d
delete from t where not exists (select 1 from u where u.a = t.a)
with x as (select 1 as n) delete from t using x where t.a = x.n returning a, old.b
delete from only t where c = 3
merge into t using u on t.a = u.a and u.d <> 11 when matched then update set c = u.d
merge into t using u on t.a = u.a when not matched then insert values (u.a, 'new', u.d)
merge into t using big on t.a = big.a when matched then update set b = big.f when not matched then insert (a, b) values (big.a, big.f) returning merge_action(), t.*
merge into t as x using (select a, e from w where e is not null) as s on x.a = s.a when matched and s.e > 100 then delete when matched then update set c = s.e, b = 'm' when not matched then do nothing
merge into t using big on t.a = big.a when not matched by source then delete
merge into t using big on t.a = big.a when matched then do nothing when not matched by source and t.b is null then update set b = 'gone' when not matched by target then insert (a) values (big.a) returning merge_action(), t.a, t.b, big.f
merge into d using big on d.a = big.a when not matched then insert (a, b) values (big.a, default) returning *
merge into d using big on d.a = big.a when not matched then insert default values
merge into t using u on t.a = u.a when matched then update set c = u.d
merge into t using u on t.a = u.a when matched then delete
with s as (select a, f from big) merge into t using s on t.a = s.a when matched then update set (b, c) = (s.f, 0)
update checked set a = -1
insert into checked values (-5)
insert into checked values (null)
insert into sv (k, label) values (50, 'through') returning *
insert into sv (label, k) select f, a from big returning k + 1, sv.label
insert into renamed values ('l', 3), ('m', default)
update sv set label = label || '?' where twice > 2 returning k, twice, old.label
update sv set k = null
update sv as s set label = u.d::text from u where u.a = s.k and u.d <> 11 returning s.*, u.d
delete from sv where label = 'one' returning *
delete from sv
merge into renamed r using big on r.l = big.a when matched then update set k = big.f when not matched then insert (l, k) values (big.a, 'new') returning merge_action(), r.*
update v set q = 1
