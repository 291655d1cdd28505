-- Filters: cases of IoTDB's FilterIT.

create timeseries root.vehicle.nan.d1 with datatype=DOUBLE;
create timeseries root.vehicle.nan.d2 with datatype=DOUBLE;
create timeseries root.vehicle.flag.s1 with datatype=BOOLEAN;
create timeseries root.vehicle.flag.s2 with datatype=BOOLEAN;
create timeseries root.vehicle.udtf.s1 with datatype=TEXT;
create timeseries root.vehicle.udtf.s2 with datatype=DOUBLE;
insert into root.vehicle.nan(time, d1, d2) values (0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4), (5, 5, 5), (6, 6, 6), (7, 7, 7), (8, 8, 8), (9, 9, 9);
insert into root.vehicle.flag(time, s1, s2) values (0, true, true), (1, true, false), (2, false, false), (3, true, true), (4, true, false), (5, false, false), (6, true, true), (7, true, false), (8, false, false), (9, true, true);
insert into root.db1.d1(time, s1, s2) values (1, 1, '1'), (2, 2, '2');
insert into root.vehicle.udtf(time, s1, s2) values (1, 'ss', 0), (2, 'd', 3);
-- A series of BOOLEAN is a condition.
select s1, s2 from root.vehicle.flag where s2;
--> Time,root.vehicle.flag.s1,root.vehicle.flag.s2
--> 0,true,true
--> 3,true,true
--> 6,true,true
--> 9,true,true
select s1, s2 from root.vehicle.flag where s1 && s2;
--> Time,root.vehicle.flag.s1,root.vehicle.flag.s2
--> 0,true,true
--> 3,true,true
--> 6,true,true
--> 9,true,true
select s1, s2 from root.vehicle.flag where s1 || s2;
--> Time,root.vehicle.flag.s1,root.vehicle.flag.s2
--> 0,true,true
--> 1,true,false
--> 3,true,true
--> 4,true,false
--> 6,true,true
--> 7,true,false
--> 9,true,true
select s1, s2 from root.vehicle.flag where s1 || false;
--> Time,root.vehicle.flag.s1,root.vehicle.flag.s2
--> 0,true,true
--> 1,true,false
--> 3,true,true
--> 4,true,false
--> 6,true,true
--> 7,true,false
--> 9,true,true
select s1, s2 from root.vehicle.flag where s1 && true;
--> Time,root.vehicle.flag.s1,root.vehicle.flag.s2
--> 0,true,true
--> 1,true,false
--> 3,true,true
--> 4,true,false
--> 6,true,true
--> 7,true,false
--> 9,true,true
select s1, s2 from root.vehicle.flag where !s1;
--> Time,root.vehicle.flag.s1,root.vehicle.flag.s2
--> 2,false,false
--> 5,false,false
--> 8,false,false
select s1, s2 from root.vehicle.flag where s1 and false;
--> Time,root.vehicle.flag.s1,root.vehicle.flag.s2
-- 0 / 0 is no number: every comparison with it is false.
select d1 from root.vehicle.nan where d1 / d2 > 0;
--> Time,root.vehicle.nan.d1
--> 1,1.0
--> 2,2.0
--> 3,3.0
--> 4,4.0
--> 5,5.0
--> 6,6.0
--> 7,7.0
--> 8,8.0
--> 9,9.0
select d1 from root.vehicle.nan where d1 / d2 <= 0;
--> Time,root.vehicle.nan.d1
select d1 from root.vehicle.nan where d1 / d2 = d1 / d2;
--> Time,root.vehicle.nan.d1
--> 1,1.0
--> 2,2.0
--> 3,3.0
--> 4,4.0
--> 5,5.0
--> 6,6.0
--> 7,7.0
--> 8,8.0
--> 9,9.0
select d1 from root.vehicle.nan where d1 / d2 is null;
--> Time,root.vehicle.nan.d1
select d1 / d2, d1 / (d2 - d2), -d1 / 0 from root.vehicle.nan where time < 2;
--> Time,root.vehicle.nan.d1 / root.vehicle.nan.d2,root.vehicle.nan.d1 / (root.vehicle.nan.d2 - root.vehicle.nan.d2),-root.vehicle.nan.d1 / 0
--> 0,NaN,NaN,NaN
--> 1,1.0,Infinity,-Infinity
-- A number and a text of the same digits are two constants.
select s2 from root.db1.d1 where s1 = 1 and s2 >= '1' and s2 <= '2';
--> Time,root.db1.d1.s2
--> 1,1
-- What is no condition.
select s1 from root.db1.d1 where s1;
--! The output type of the expression in WHERE clause should be BOOLEAN, actual data type: FLOAT
select count(s1) from root.db1.d1 group by ([0, 40), 5ms) having count(s1) + 1;
--! The output type of the expression in HAVING clause should be BOOLEAN, actual data type: DOUBLE
select s1 from root.db1.d1 where s1 align by device;
--! The output type of the expression in WHERE clause should be BOOLEAN, actual data type: FLOAT
select count(s1) from root.db1.d1 group by ([0, 40), 5ms) having count(s1) + 1 align by device;
--! The output type of the expression in HAVING clause should be BOOLEAN, actual data type: DOUBLE
-- Functions in WHERE.
select s1 from root.vehicle.udtf where string_contains(s1, 's'='s');
--> Time,root.vehicle.udtf.s1
--> 1,ss
select s1 from root.vehicle.udtf where sin(s2) = 0;
--> Time,root.vehicle.udtf.s1
--> 1,ss
select s1 from root.vehicle.udtf where sin(s2);
--! The output type of the expression in WHERE clause should be BOOLEAN, actual data type: DOUBLE
-- A filter that no time can meet.
select count(d1) from root.vehicle.nan where time >= 0 and time < 0;
--> count(root.vehicle.nan.d1)
--> 0
