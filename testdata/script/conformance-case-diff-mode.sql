-- CASE, DIFF and MODE, with the data and results of IoTDB's tests.

CREATE TIMESERIES root.sg.d1.s1 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.sg.d1.s2 WITH DATATYPE=INT64, ENCODING=PLAIN;
CREATE TIMESERIES root.sg.d2.s3 WITH DATATYPE=FLOAT, ENCODING=PLAIN;
CREATE TIMESERIES root.sg.d2.s4 WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
INSERT INTO root.sg.d1(timestamp, s1) values (0, 0), (1000000, 11), (20000000, 22), (210000000, 33);
INSERT INTO root.sg.d2(timestamp, s3, s4) values (0, 0, 44), (1000000, 11, 55), (20000000, 22, 66), (210000000, 33, 77);
INSERT INTO root.sg.d1(timestamp, s2) values (96, 96), (97, 97), (98, 98), (99, 99);
select case when s1=0 then 99 when s1>22 then 999 else 9999 end from root.sg.d1 where s1 >= 0;
--> Time,CASE WHEN root.sg.d1.s1 = 0 THEN 99 WHEN root.sg.d1.s1 > 22 THEN 999 ELSE 9999 END
--> 0,99.0
--> 1000000,9999.0
--> 20000000,9999.0
--> 210000000,999.0
select case when s1=0 then 99 when s1>22 then 999 end from root.sg.d1 where s1 >= 0;
--> Time,CASE WHEN root.sg.d1.s1 = 0 THEN 99 WHEN root.sg.d1.s1 > 22 THEN 999 END
--> 0,99.0
--> 1000000,
--> 20000000,
--> 210000000,999.0
select case when s1+1 then 20 else 22 end from root.sg.d1;
--! The expression in the WHEN clause must return BOOLEAN. expression: root.sg.d1.s1 + 1, actual data type: DOUBLE
select case when s1<=0 then true when s1=11 then false else true end from root.sg.d1 where s1 >= 0;
--> Time,CASE WHEN root.sg.d1.s1 <= 0 THEN true WHEN root.sg.d1.s1 = 11 THEN false ELSE true END
--> 0,true
--> 1000000,false
--> 20000000,true
--> 210000000,true
select case when s1<=0 then true else 22 end from root.sg.d1;
--! CASE expression: BOOLEAN and other types cannot exist at the same time
select case when s1<=0 then "good" when s1=11 then "bad" else "okok" end from root.sg.d1 where s1 >= 0;
--> Time,CASE WHEN root.sg.d1.s1 <= 0 THEN 'good' WHEN root.sg.d1.s1 = 11 THEN 'bad' ELSE 'okok' END
--> 0,good
--> 1000000,bad
--> 20000000,okok
--> 210000000,okok
select case when s1<=0 then "good" else 22 end from root.sg.d1;
--! CASE expression: TEXT and other types cannot exist at the same time
-- IoTDB takes 99.9 as a FLOAT here and prints 99.9000015258789.
select case s1 when 0 then 99 when 11 then 99.9 when 22 then 8589934588 when 33 then 999.9999999999 else 10086 end as `result` from root.sg.d1 where s1 >= 0;
--> Time,result
--> 0,99.0
--> 1000000,99.9
--> 20000000,8.589934588E9
--> 210000000,999.9999999999
select case s1 when 0 then 99 when 22.0 then 999 else 9999 end from root.sg.d1 where s1 >= 0;
--> Time,CASE WHEN root.sg.d1.s1 = 0 THEN 99 WHEN root.sg.d1.s1 = 22.0 THEN 999 ELSE 9999 END
--> 0,99.0
--> 1000000,9999.0
--> 20000000,999.0
--> 210000000,9999.0
select 2 * case when s1=0 then 99 when s1=22.0 then 999 else 9999 end from root.sg.d1 where s1 >= 0;
--> Time,2 * CASE WHEN root.sg.d1.s1 = 0 THEN 99 WHEN root.sg.d1.s1 = 22.0 THEN 999 ELSE 9999 END
--> 0,198.0
--> 1000000,19998.0
--> 20000000,1998.0
--> 210000000,19998.0
select avg(case when s1=0 then 99 when s1>22 then 999 else 9999 end) as `result` from root.sg.d1 where s1 >= 0;
--> result
--> 5274.0
select max_value(case when s1=0 then 99 when s1>22 then 999 else 9999 end) as `result` from root.sg.d1;
--> result
--> 9999.0
select avg(case when s1=0 then 99 when s1>22 then 999 else 9999 end) * max_value(case when s1=0 then 99 when s1>22 then 999 else 9999 end) from root.sg.d1 where s1 >= 0;
--> avg(CASE WHEN root.sg.d1.s1 = 0 THEN 99 WHEN root.sg.d1.s1 > 22 THEN 999 ELSE 9999 END) * max_value(CASE WHEN root.sg.d1.s1 = 0 THEN 99 WHEN root.sg.d1.s1 > 22 THEN 999 ELSE 9999 END)
--> 5.2734726E7
select case when sin(s1)>=0 then ">0" else "<0" end from root.sg.d1 where s1 >= 0;
--> Time,CASE WHEN sin(root.sg.d1.s1) >= 0 THEN '>0' ELSE '<0' END
--> 0,>0
--> 1000000,<0
--> 20000000,<0
--> 210000000,>0
select case when s1<=11 then CAST(diff(s1) as TEXT) else CAST(s1-1 as TEXT) end from root.sg.d1 where s1 >= 0 align by device;
--> Time,Device,CASE WHEN s1 <= 11 THEN CAST(diff(s1) AS TEXT) ELSE CAST(s1 - 1 AS TEXT) END
--> 0,root.sg.d1,
--> 1000000,root.sg.d1,11.0
--> 20000000,root.sg.d1,21.0
--> 210000000,root.sg.d1,32.0
select case * when * then * else * end from root.sg.d2;
--> Time,CASE WHEN root.sg.d2.s3 = root.sg.d2.s3 THEN root.sg.d2.s3 ELSE root.sg.d2.s3 END,CASE WHEN root.sg.d2.s3 = root.sg.d2.s3 THEN root.sg.d2.s3 ELSE root.sg.d2.s4 END,CASE WHEN root.sg.d2.s3 = root.sg.d2.s3 THEN root.sg.d2.s4 ELSE root.sg.d2.s3 END,CASE WHEN root.sg.d2.s3 = root.sg.d2.s3 THEN root.sg.d2.s4 ELSE root.sg.d2.s4 END,CASE WHEN root.sg.d2.s3 = root.sg.d2.s4 THEN root.sg.d2.s3 ELSE root.sg.d2.s3 END,CASE WHEN root.sg.d2.s3 = root.sg.d2.s4 THEN root.sg.d2.s3 ELSE root.sg.d2.s4 END,CASE WHEN root.sg.d2.s3 = root.sg.d2.s4 THEN root.sg.d2.s4 ELSE root.sg.d2.s3 END,CASE WHEN root.sg.d2.s3 = root.sg.d2.s4 THEN root.sg.d2.s4 ELSE root.sg.d2.s4 END,CASE WHEN root.sg.d2.s4 = root.sg.d2.s3 THEN root.sg.d2.s3 ELSE root.sg.d2.s3 END,CASE WHEN root.sg.d2.s4 = root.sg.d2.s3 THEN root.sg.d2.s3 ELSE root.sg.d2.s4 END,CASE WHEN root.sg.d2.s4 = root.sg.d2.s3 THEN root.sg.d2.s4 ELSE root.sg.d2.s3 END,CASE WHEN root.sg.d2.s4 = root.sg.d2.s3 THEN root.sg.d2.s4 ELSE root.sg.d2.s4 END,CASE WHEN root.sg.d2.s4 = root.sg.d2.s4 THEN root.sg.d2.s3 ELSE root.sg.d2.s3 END,CASE WHEN root.sg.d2.s4 = root.sg.d2.s4 THEN root.sg.d2.s3 ELSE root.sg.d2.s4 END,CASE WHEN root.sg.d2.s4 = root.sg.d2.s4 THEN root.sg.d2.s4 ELSE root.sg.d2.s3 END,CASE WHEN root.sg.d2.s4 = root.sg.d2.s4 THEN root.sg.d2.s4 ELSE root.sg.d2.s4 END
--> 0,0.0,0.0,44.0,44.0,0.0,44.0,0.0,44.0,0.0,44.0,0.0,44.0,0.0,0.0,44.0,44.0
--> 1000000,11.0,11.0,55.0,55.0,11.0,55.0,11.0,55.0,11.0,55.0,11.0,55.0,11.0,11.0,55.0,55.0
--> 20000000,22.0,22.0,66.0,66.0,22.0,66.0,22.0,66.0,22.0,66.0,22.0,66.0,22.0,22.0,66.0,66.0
--> 210000000,33.0,33.0,77.0,77.0,33.0,77.0,33.0,77.0,33.0,77.0,33.0,77.0,33.0,33.0,77.0,77.0
select case when s3<=11 then s3 else s4 end from root.sg.d1, root.sg.d2 align by device;
--> Time,Device,CASE WHEN s3 <= 11 THEN s3 ELSE s4 END
--> 0,root.sg.d2,0.0
--> 1000000,root.sg.d2,11.0
--> 20000000,root.sg.d2,66.0
--> 210000000,root.sg.d2,77.0
select case when s1<=11 then s1 else s1*2 end, case when s3<=11 then s3 else s4 end from root.sg.d1, root.sg.d2 where s1 >= 0 or s3 >= 0 align by device;
--> Time,Device,CASE WHEN s1 <= 11 THEN s1 ELSE s1 * 2 END,CASE WHEN s3 <= 11 THEN s3 ELSE s4 END
--> 0,root.sg.d1,0.0,
--> 1000000,root.sg.d1,11.0,
--> 20000000,root.sg.d1,44.0,
--> 210000000,root.sg.d1,66.0,
--> 0,root.sg.d2,,0.0
--> 1000000,root.sg.d2,,11.0
--> 20000000,root.sg.d2,,66.0
--> 210000000,root.sg.d2,,77.0
select s1*s1, case when s1<=11 then s3 else s4 end from root.sg.d1, root.sg.d2 where s1 >= 0;
--> Time,root.sg.d1.s1 * root.sg.d1.s1,CASE WHEN root.sg.d1.s1 <= 11 THEN root.sg.d2.s3 ELSE root.sg.d2.s4 END
--> 0,0.0,0.0
--> 1000000,121.0,11.0
--> 20000000,484.0,66.0
--> 210000000,1089.0,77.0
select case when s2%2==1 then s2 else s2/2 end, case when s1<=11 then s3 else s4 end from root.sg.d1, root.sg.d2 limit 5 offset 3;
--> Time,CASE WHEN root.sg.d1.s2 % 2 = 1 THEN root.sg.d1.s2 ELSE root.sg.d1.s2 / 2 END,CASE WHEN root.sg.d1.s1 <= 11 THEN root.sg.d2.s3 ELSE root.sg.d2.s4 END
--> 98,49.0,
--> 99,99.0,
--> 1000000,,11.0
--> 20000000,,66.0
--> 210000000,,77.0

CREATE TIMESERIES root.test.s1 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.test.s2 WITH DATATYPE=FLOAT, ENCODING=PLAIN;
INSERT INTO root.test(timestamp, s1, s2) values (1, 1, 1), (2, 2, null), (3, null, 3), (4, 4, null), (5, 5, 5), (6, null, 6), (5000000000, null, 7), (5000000001, 8, null);
CREATE TIMESERIES root.test2.s1 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.test2.s2 WITH DATATYPE=FLOAT, ENCODING=PLAIN;
INSERT INTO root.test2(timestamp, s1, s2) values (1, 1, 1), (2, 2, 2), (5000000000, null, 3), (5000000001, 4, null);
select Diff(s1), diff(s2) from root.test;
--> Time,Diff(root.test.s1),diff(root.test.s2)
--> 1,,
--> 2,1.0,
--> 3,,2.0
--> 4,2.0,
--> 5,1.0,2.0
--> 6,,1.0
--> 5000000000,,1.0
--> 5000000001,3.0,
select Diff(s1), diff(s2) from root.test, root.test2 align by device;
--> Time,Device,Diff(s1),diff(s2)
--> 1,root.test,,
--> 2,root.test,1.0,
--> 3,root.test,,2.0
--> 4,root.test,2.0,
--> 5,root.test,1.0,2.0
--> 6,root.test,,1.0
--> 5000000000,root.test,,1.0
--> 5000000001,root.test,3.0,
--> 1,root.test2,,
--> 2,root.test2,1.0,1.0
--> 5000000000,root.test2,,1.0
--> 5000000001,root.test2,2.0,
select Diff(s1), diff(s2) from root.test, root.test2 order by time align by device;
--> Time,Device,Diff(s1),diff(s2)
--> 1,root.test,,
--> 1,root.test2,,
--> 2,root.test,1.0,
--> 2,root.test2,1.0,1.0
--> 3,root.test,,2.0
--> 4,root.test,2.0,
--> 5,root.test,1.0,2.0
--> 6,root.test,,1.0
--> 5000000000,root.test,,1.0
--> 5000000000,root.test2,,1.0
--> 5000000001,root.test,3.0,
--> 5000000001,root.test2,2.0,
select Diff(s1, 'ignoreNull'='false'), diff(s2, 'ignoreNull'='false') from root.test;
--> Time,"Diff(root.test.s1, ""ignoreNull""=""false"")","diff(root.test.s2, ""ignoreNull""=""false"")"
--> 1,,
--> 2,1.0,
--> 3,,
--> 4,,
--> 5,1.0,
--> 6,,1.0
--> 5000000000,,1.0
--> 5000000001,,
select Diff(s1, 'ignoreNull'='false'), diff(s2, 'ignoreNull'='false') from root.test, root.test2 align by device;
--> Time,Device,"Diff(s1, ""ignoreNull""=""false"")","diff(s2, ""ignoreNull""=""false"")"
--> 1,root.test,,
--> 2,root.test,1.0,
--> 3,root.test,,
--> 4,root.test,,
--> 5,root.test,1.0,
--> 6,root.test,,1.0
--> 5000000000,root.test,,1.0
--> 5000000001,root.test,,
--> 1,root.test2,,
--> 2,root.test2,1.0,1.0
--> 5000000000,root.test2,,1.0
--> 5000000001,root.test2,,
select change_points(s1), diff(s2) from root.test;
--> Time,change_points(root.test.s1),diff(root.test.s2)
--> 1,1,
--> 2,2,
--> 3,,2.0
--> 4,4,
--> 5,5,2.0
--> 6,,1.0
--> 5000000000,,1.0
--> 5000000001,8,
select change_points(s1), diff(s2) from root.test, root.test2 align by device;
--> Time,Device,change_points(s1),diff(s2)
--> 1,root.test,1,
--> 2,root.test,2,
--> 3,root.test,,2.0
--> 4,root.test,4,
--> 5,root.test,5,2.0
--> 6,root.test,,1.0
--> 5000000000,root.test,,1.0
--> 5000000001,root.test,8,
--> 1,root.test2,1,
--> 2,root.test2,2,1.0
--> 5000000000,root.test2,,1.0
--> 5000000001,root.test2,4,
select change_points(s1), diff(s2, 'ignoreNull'='false') from root.test;
--> Time,change_points(root.test.s1),"diff(root.test.s2, ""ignoreNull""=""false"")"
--> 1,1,
--> 2,2,
--> 4,4,
--> 5,5,
--> 6,,1.0
--> 5000000000,,1.0
--> 5000000001,8,
select change_points(s1), diff(s2, 'ignoreNull'='false') from root.test, root.test2 order by time align by device;
--> Time,Device,change_points(s1),"diff(s2, ""ignoreNull""=""false"")"
--> 1,root.test,1,
--> 1,root.test2,1,
--> 2,root.test,2,
--> 2,root.test2,2,1.0
--> 4,root.test,4,
--> 5,root.test,5,
--> 6,root.test,,1.0
--> 5000000000,root.test,,1.0
--> 5000000000,root.test2,,1.0
--> 5000000001,root.test,8,
--> 5000000001,root.test2,4,

CREATE TIMESERIES root.db.d1.s1 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d1.s2 WITH DATATYPE=INT64, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d1.s3 WITH DATATYPE=BOOLEAN, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d1.s4 WITH DATATYPE=FLOAT, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d1.s5 WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d1.s6 WITH DATATYPE=TEXT, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d2.s1 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d2.s2 WITH DATATYPE=INT64, ENCODING=PLAIN;
INSERT INTO root.db.d1(timestamp, s1, s2, s3, s4, s5, s6) values (1, 1, 1, true, 1, 1, "1"), (2, 2, 2, false, 2, 2, "2"), (3, 2, 2, false, 2, 2, "2"), (10000000000, 1, 1, true, 1, 1, "1"), (10000000001, 1, 1, true, 1, 1, "1");
INSERT INTO root.db.d2(timestamp, s1, s2) values (1, 1, 1), (2, 1, 1), (10000000000, 2, 2), (10000000001, 2, 2), (10000000002, 2, 2), (10000000003, 2, 2);
INSERT INTO root.modes.d1(timestamp, s1) values (1, 5), (2, 5), (3, 2), (4, 2), (5, 8), (6, 8), (7, 1);
select mode(s1), mode(s2), mode(s3), mode(s4), mode(s5), mode(s6) from root.db.d1;
--> mode(root.db.d1.s1),mode(root.db.d1.s2),mode(root.db.d1.s3),mode(root.db.d1.s4),mode(root.db.d1.s5),mode(root.db.d1.s6)
--> 1,1,true,1.0,1.0,1
select mode(s1), mode(s2), mode(s3), mode(s4), mode(s5), mode(s6) from root.db.d1 where time < 10;
--> mode(root.db.d1.s1),mode(root.db.d1.s2),mode(root.db.d1.s3),mode(root.db.d1.s4),mode(root.db.d1.s5),mode(root.db.d1.s6)
--> 2,2,false,2.0,2.0,2
select mode(s1), mode(s2), mode(s3), mode(s4), mode(s5), mode(s6) from root.db.d1 align by device;
--> Device,mode(s1),mode(s2),mode(s3),mode(s4),mode(s5),mode(s6)
--> root.db.d1,1,1,true,1.0,1.0,1
select mode(s1) from root.db.d1 having mode(s2)>0;
--> mode(root.db.d1.s1)
--> 1
select mode(s1), mode(s2) from root.db.* group by level = 0;
--> mode(root.*.*.s1),mode(root.*.*.s2)
--> 2,2
select mode(s1) from root.modes.d1 where time <= 6;
--> mode(root.modes.d1.s1)
--> 5.0
select mode(s1) from root.modes.d1;
--> mode(root.modes.d1.s1)
--> 5.0
