-- Built-in functions over rows: values of IoTDB's tests.

-- Runs of a condition.
insert into root.r.d(time, b) values (0, false), (1, true), (2, true), (3, false), (4, true), (5, false), (6, false), (7, true), (10000000000, false);
select zero_duration(b) from root.r.d;
--> Time,zero_duration(root.r.d.b)
--> 0,0
--> 3,0
--> 5,1
--> 10000000000,0
select non_zero_duration(b) from root.r.d;
--> Time,non_zero_duration(root.r.d.b)
--> 1,1
--> 4,0
--> 7,0
select zero_count(b), non_zero_count(b) from root.r.d;
--> Time,zero_count(root.r.d.b),non_zero_count(root.r.d.b)
--> 0,1,
--> 1,,2
--> 3,1,
--> 4,,1
--> 5,2,
--> 7,,1
--> 10000000000,1,
select non_zero_count(b, 'min'='2') from root.r.d;
--> Time,"non_zero_count(root.r.d.b, ""min""=""2"")"
--> 1,2
-- M4.
insert into root.m4.d(time, s1) values (1, 5), (2, 15), (5, 10), (8, 8), (10, 30), (20, 20), (25, 8), (27, 20), (30, 40), (33, 9), (35, 10), (40, 20), (45, 30), (52, 8), (54, 18), (120, 8);
select M4(s1, 'timeInterval'='25', 'displayWindowBegin'='0', 'displayWindowEnd'='150') from root.m4.d;
--> Time,"M4(root.m4.d.s1, ""timeInterval""=""25"", ""displayWindowBegin""=""0"", ""displayWindowEnd""=""150"")"
--> 1,5.0
--> 10,30.0
--> 20,20.0
--> 25,8.0
--> 30,40.0
--> 45,30.0
--> 52,8.0
--> 54,18.0
--> 120,8.0
select M4(s1, 'timeInterval'='25', 'displayWindowBegin'='75', 'displayWindowEnd'='150') from root.m4.d;
--> Time,"M4(root.m4.d.s1, ""timeInterval""=""25"", ""displayWindowBegin""=""75"", ""displayWindowEnd""=""150"")"
--> 120,8.0
select M4(s1, 'windowSize'='10') from root.m4.d;
--> Time,"M4(root.m4.d.s1, ""windowSize""=""10"")"
--> 1,5.0
--> 30,40.0
--> 33,9.0
--> 35,10.0
--> 45,30.0
--> 120,8.0
-- Trends.
insert into root.t.d(time, s) values (0, 1), (1000, 3), (3000, 2), (4000, 2);
select time_difference(s), difference(s), non_negative_difference(s) from root.t.d;
--> Time,time_difference(root.t.d.s),difference(root.t.d.s),non_negative_difference(root.t.d.s)
--> 1000,1000,2.0,2.0
--> 3000,2000,-1.0,1.0
--> 4000,1000,0.0,0.0
select derivative(s), non_negative_derivative(s) from root.t.d;
--> Time,derivative(root.t.d.s),non_negative_derivative(root.t.d.s)
--> 1000,0.002,0.002
--> 3000,-5.0E-4,5.0E-4
--> 4000,0.0,0.0
select change_points(s), diff(s), diff(s, 'ignoreNull'='false') from root.t.d;
--> Time,change_points(root.t.d.s),diff(root.t.d.s),"diff(root.t.d.s, ""ignoreNull""=""false"")"
--> 0,1.0,,
--> 1000,3.0,2.0,2.0
--> 3000,2.0,-1.0,-1.0
--> 4000,,0.0,0.0
-- Samples and constants.
select equal_size_bucket_agg_sample(s1, 'proportion'='0.25', 'type'='avg') from root.m4.d;
--> Time,"equal_size_bucket_agg_sample(root.m4.d.s1, ""proportion""=""0.25"", ""type""=""avg"")"
--> 1,9.5
--> 10,19.5
--> 30,19.75
--> 45,16.0
select equal_size_bucket_m4_sample(s1, 'proportion'='0.5') from root.m4.d;
--> Time,"equal_size_bucket_m4_sample(root.m4.d.s1, ""proportion""=""0.5"")"
--> 1,5.0
--> 8,8.0
--> 10,30.0
--> 27,20.0
--> 30,40.0
--> 45,30.0
--> 52,8.0
--> 120,8.0
insert into root.c.d(time, s7) values (0, 1), (2, 2), (4, 3);
insert into root.c.d(time, s8) values (0, 1), (6, 2), (8, 3), (10000000000, 4);
select const(s7, 'value'='1024', 'type'='INT64') from root.c.d;
--> Time,"const(root.c.d.s7, ""value""=""1024"", ""type""=""INT64"")"
--> 0,1024
--> 2,1024
--> 4,1024
select pi(s7, s7), e(s7, s8, s7, s8) from root.c.d;
--> Time,"pi(root.c.d.s7, root.c.d.s7)","e(root.c.d.s7, root.c.d.s8, root.c.d.s7, root.c.d.s8)"
--> 0,3.141592653589793,2.718281828459045
--> 2,3.141592653589793,2.718281828459045
--> 4,3.141592653589793,2.718281828459045
--> 6,,2.718281828459045
--> 8,,2.718281828459045
--> 10000000000,,2.718281828459045
select const(s7, 'value'='1024') from root.c.d;
--! type
select const(s7, 'value'='x', 'type'='INT32') from root.c.d;
--! x
-- Nested in one another, over aggregates, and with aggregates over them.
insert into root.h.d(time, s1, s2) values (0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4);
insert into root.h.d(time, s3) values (2, 2), (3, 3), (7, 7), (8, 8), (9, 9);
select avg(s1), sin(avg(s2)), avg(s1) + 1, -sum(s2), avg(s1) + sum(s2) from root.h.d;
--> avg(root.h.d.s1),sin(avg(root.h.d.s2)),avg(root.h.d.s1) + 1,-sum(root.h.d.s2),avg(root.h.d.s1) + sum(root.h.d.s2)
--> 2.0,0.9092974268256816,3.0,-10.0,12.0
select sin(s1), s1 + 1, s3 from root.h.d fill(3.14);
--> Time,sin(root.h.d.s1),root.h.d.s1 + 1,root.h.d.s3
--> 0,0.0,1.0,3.14
--> 1,0.8414709848078965,2.0,3.14
--> 2,0.9092974268256816,3.0,2.0
--> 3,0.1411200080598672,4.0,3.0
--> 4,-0.7568024953079282,5.0,3.14
--> 7,3.14,3.14,7.0
--> 8,3.14,3.14,8.0
--> 9,3.14,3.14,9.0
select abs(m4(s1, 'windowSize'='1')) from root.h.d where time <= 2;
--> Time,"abs(m4(root.h.d.s1, ""windowSize""=""1""))"
--> 0,0.0
--> 1,1.0
--> 2,2.0
select avg(s1 + 1), max_value(case when s1 > 2 then s1 end) from root.h.d;
--> avg(root.h.d.s1 + 1),max_value(CASE WHEN root.h.d.s1 > 2 THEN root.h.d.s1 END)
--> 3.0,4.0
select count(avg(s1)) from root.h.d;
--! aggregation results cannot be as input of the aggregation function
select sin(s1, avg(s2)) from root.h.d;
--! hybrid
-- Aggregates.
select count(s1), sum(s3), avg(s3), min_value(s3), max_value(s3), extreme(s3), first_value(s3), last_value(s3), min_time(s3), max_time(s3), time_duration(s3) from root.h.d;
--> count(root.h.d.s1),sum(root.h.d.s3),avg(root.h.d.s3),min_value(root.h.d.s3),max_value(root.h.d.s3),extreme(root.h.d.s3),first_value(root.h.d.s3),last_value(root.h.d.s3),min_time(root.h.d.s3),max_time(root.h.d.s3),time_duration(root.h.d.s3)
--> 5,29.0,5.8,2.0,9.0,9.0,2.0,9.0,2,9,7
select count_time(*) from root.h.d;
--> count_time(*)
--> 8
select count_time(*) from root.h.d group by ([0, 10), 4ms);
--> Time,count_time(*)
--> 0,4
--> 4,2
--> 8,2
select count_time(*) from root.h.* align by device;
--> Device,count_time(*)
--> root.h.d,8
select count_time(s1) from root.h.d;
--! count_time takes only *
insert into root.mode.d(time, s) values (1, 5), (2, 2), (3, 8), (4, 5), (5, 2), (6, 8);
select mode(s) from root.mode.d;
--> mode(root.mode.d.s)
--> 5.0
select sum(b) from root.r.d;
--! only support numeric data types
select max_value(b), min_value(b) from root.r.d;
--> max_value(root.r.d.b),min_value(root.r.d.b)
--> true,false
insert into root.ci.d(time, s) values (1, 0), (2, 0), (3, 0), (4, 1), (5, 0), (6, null), (7, 0), (8, 0);
select count_if(s = 0, 3), count_if(s = 0, keep >= 2, 'ignoreNull'='false'), count_if(s != 0, 1) from root.ci.d;
--> "count_if(root.ci.d.s = 0, 3)","count_if(root.ci.d.s = 0, keep >= 2, ""ignoreNull""=""false"")","count_if(root.ci.d.s != 0, 1)"
--> 2,2,1
select count_if(s = 0, keep < 3), count_if(s = 0, keep = 1) from root.ci.d;
--> "count_if(root.ci.d.s = 0, keep < 3)","count_if(root.ci.d.s = 0, keep = 1)"
--> 0,0
-- LEVEL.
insert into root.lv.a.d1(time, s) values (1, 1), (2, 2);
insert into root.lv.a.d2(time, s) values (1, 10);
insert into root.lv.b.d1(time, s) values (3, 100);
select count(s), sum(s) from root.lv.** group by level = 2;
--> count(root.*.a.*.s),count(root.*.b.*.s),sum(root.*.a.*.s),sum(root.*.b.*.s)
--> 3,1,13.0,100.0
select sum(s) from root.lv.** group by level = 3;
--> sum(root.*.*.d1.s),sum(root.*.*.d2.s)
--> 103.0,10.0
select sum(s) from root.lv.** group by level = 1, 3;
--> sum(root.lv.*.d1.s),sum(root.lv.*.d2.s)
--> 103.0,10.0
select count(s) from root.lv.** group by ([0, 4), 2ms), level = 2;
--> Time,count(root.*.a.*.s),count(root.*.b.*.s)
--> 0,2,0
--> 2,1,1
select count(s) from root.lv.** group by ([0, 4), 2ms, level = 1);
--> Time,count(root.lv.*.*.s)
--> 0,2
--> 2,2
select sum(s) from root.lv.** group by level = 2 having sum(s) > 0;
--> sum(root.*.a.*.s),sum(root.*.b.*.s)
--> 13.0,100.0
select s from root.lv.** group by level = 1;
--! aggregate
