-- GROUP BY of rows: VARIATION, CONDITION, SESSION, COUNT.

insert into root.ln.v(time, t, h) values (1, 35.5, 10), (2, 35.7, 20), (3, 35.9, 30), (4, 36.2, 50), (5, 37, 60), (6, 37.5, null), (10, 39, 5), (11, null, 6), (12, 39.5, 7);
select __endTime, count(t), avg(t), sum(h) from root.ln.v group by variation(t, 1);
--> Time,__endTime,count(root.ln.v.t),avg(root.ln.v.t),sum(root.ln.v.h)
--> 1,4,4,35.82500076293945,110.0
--> 5,6,2,37.25,60.0
--> 10,12,2,39.25,12.0
select __endTime, count(t), count(h) from root.ln.v group by variation(t, 1, ignoreNull=false);
--> Time,__endTime,count(root.ln.v.t),count(root.ln.v.h)
--> 1,4,4,4
--> 5,6,2,1
--> 10,10,1,1
--> 11,11,0,1
--> 12,12,1,1
select __endTime, count(t), count(h) from root.ln.v group by variation(t, 1, ignoringNul=false);
--> Time,__endTime,count(root.ln.v.t),count(root.ln.v.h)
--> 1,4,4,4
--> 5,6,2,1
--> 10,12,2,2
insert into root.ln.w(time, code, ok) values (1, 'a', true), (2, 'a', true), (3, 'b', false), (4, 'b', true), (5, 'b', true), (6, 'a', null), (7, 'a', true);
select __endTime, count(code), last_value(code) from root.ln.w group by variation(code);
--> Time,__endTime,count(root.ln.w.code),last_value(root.ln.w.code)
--> 1,2,2,a
--> 3,5,3,b
--> 6,7,2,a
select count(code) from root.ln.w group by variation(code, 1);
--! only support numeric type when delta != 0
-- Conditions. Null rows are left out unless ignoreNull=false.
select __endTime, count(code) from root.ln.w group by condition(ok = true, keep>=1, ignoreNull=false);
--> Time,__endTime,count(root.ln.w.code)
--> 1,2,2
--> 4,5,2
--> 7,7,1
select __endTime, count(code) from root.ln.w group by condition(ok = true, keep>=1, ignoreNull=true);
--> Time,__endTime,count(root.ln.w.code)
--> 1,2,2
--> 4,7,3
select __endTime, count(code) from root.ln.w group by condition(ok = true, keep>=3);
--> Time,__endTime,count(root.ln.w.code)
--> 4,7,3
select __endTime, count(code) from root.ln.w group by condition(ok, keep=2);
--> Time,__endTime,count(root.ln.w.code)
--> 1,2,2
select __endTime, count(code) from root.ln.w group by condition(ok, 2);
--> Time,__endTime,count(root.ln.w.code)
--> 1,2,2
--> 4,7,3
select __endTime, count(code) from root.ln.w group by condition(ok, keep<=2);
--> Time,__endTime,count(root.ln.w.code)
--> 1,2,2
select __endTime, count(code) from root.ln.w group by condition(ok);
--> Time,__endTime,count(root.ln.w.code)
--> 1,2,2
--> 4,7,3
select count(code) from root.ln.w group by condition(code, 1);
--! only support boolean type in predict of group by series
select count(code) from root.ln.w group by condition(ok, keep);
--! Please check the keep condition
-- Sessions: the rows of all columns of the query.
insert into root.ln.x(time, s) values (1, 1), (50, 2), (100, 3), (300, 4), (400, 5), (500, 6), (1501, 7);
select __endTime, count(s) from root.ln.x group by session(99ms);
--> Time,__endTime,count(root.ln.x.s)
--> 1,100,3
--> 300,300,1
--> 400,400,1
--> 500,500,1
--> 1501,1501,1
select __endTime, count(s) from root.ln.x group by session(100ms);
--> Time,__endTime,count(root.ln.x.s)
--> 1,100,3
--> 300,500,3
--> 1501,1501,1
select __endTime, count(s), sum(s) from root.ln.x group by session(1s);
--> Time,__endTime,count(root.ln.x.s),sum(root.ln.x.s)
--> 1,500,6,21.0
--> 1501,1501,1,7.0
select __endTime, count(s) from root.ln.x group by session(99ms) having count(s) > 1;
--> Time,__endTime,count(root.ln.x.s)
--> 1,100,3
select __endTime, count(s) from root.ln.x group by session(99ms) align by device;
--> Time,Device,__endTime,count(s)
--> 1,root.ln.x,100,3
--> 300,root.ln.x,300,1
--> 400,root.ln.x,400,1
--> 500,root.ln.x,500,1
--> 1501,root.ln.x,1501,1
-- Counts: a last group that is not full is left out.
select __endTime, count(s), sum(s) from root.ln.x group by count(s, 2);
--> Time,__endTime,count(root.ln.x.s),sum(root.ln.x.s)
--> 1,50,2,3.0
--> 100,300,2,7.0
--> 400,500,2,11.0
select __endTime, count(h), count(t) from root.ln.v group by count(t, 3);
--> Time,__endTime,count(root.ln.v.h),count(root.ln.v.t)
--> 1,3,3,3
--> 4,6,2,3
select __endTime, count(h), count(t) from root.ln.v group by count(t, 3, ignoreNull=false);
--> Time,__endTime,count(root.ln.v.h),count(root.ln.v.t)
--> 1,3,3,3
--> 4,6,2,3
--> 10,12,3,2
select count(h) from root.ln.v group by count(t, 0);
--! count
select count(h) from root.ln.v group by count(avg(t), 2);
--! aggregation expression shouldn't exist in group by clause
select count(h) from root.ln.v group by count(*, 2);
--! shouldn't refer to more than one timeseries
select count(h) from root.ln.v group by variation(nothing);
--! in group by clause doesn't exist
select count(h) from root.ln.v group by tags(a);
--! TAGS is not supported
