-- ALIGN BY DEVICE: cases of IoTDB's AlignByDeviceIT and OrderByWithAlignByDeviceIT.

CREATE TIMESERIES root.vehicle.d0.s0 WITH DATATYPE=INT32;
CREATE TIMESERIES root.vehicle.d0.s1 WITH DATATYPE=INT64;
CREATE TIMESERIES root.vehicle.d0.s2 WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.vehicle.d0.s3 WITH DATATYPE=TEXT;
CREATE TIMESERIES root.vehicle.d0.s4 WITH DATATYPE=BOOLEAN;
CREATE TIMESERIES root.vehicle.d1.s0 WITH DATATYPE=INT32;
CREATE TIMESERIES root.other.d1.s0 WITH DATATYPE=FLOAT;
insert into root.vehicle.d0(time, s0) values (1, 101), (2, 198), (100, 99), (101, 99), (102, 80), (103, 99), (104, 90), (105, 99), (106, 99), (2, 10000), (50, 10000), (1000, 22222);
insert into root.vehicle.d0(time, s1) values (1, 1101), (2, 198), (100, 199), (101, 199), (102, 180), (103, 199), (104, 190), (105, 199), (2, 40000), (50, 50000), (1000, 55555), (2000-01-01T08:00:00+08:00, 100);
insert into root.vehicle.d0(time, s2) values (1000, 55555), (2, 2.22), (3, 3.33), (4, 4.44), (102, 10.00), (105, 11.11), (1000, 1000.11);
insert into root.vehicle.d0(time, s3) values (60, 'aaaaa'), (70, 'bbbbb'), (80, 'ccccc'), (101, 'ddddd'), (102, 'fffff'), (2000-01-01T08:00:00+08:00, 'good');
insert into root.vehicle.d0(time, s4) values (100, false), (100, true);
insert into root.vehicle.d1(time, s0) values (1, 999), (1000, 888);
insert into root.other.d1(time, s0) values (2, 3.14);
insert into root.other.d2(time, s6) values (6, 6.66);
select * from root.vehicle.** align by device;
--> Time,Device,s0,s1,s2,s3,s4
--> 1,root.vehicle.d0,101,1101,,,
--> 2,root.vehicle.d0,10000,40000,2.22,,
--> 3,root.vehicle.d0,,,3.33,,
--> 4,root.vehicle.d0,,,4.44,,
--> 50,root.vehicle.d0,10000,50000,,,
--> 60,root.vehicle.d0,,,,aaaaa,
--> 70,root.vehicle.d0,,,,bbbbb,
--> 80,root.vehicle.d0,,,,ccccc,
--> 100,root.vehicle.d0,99,199,,,true
--> 101,root.vehicle.d0,99,199,,ddddd,
--> 102,root.vehicle.d0,80,180,10.0,fffff,
--> 103,root.vehicle.d0,99,199,,,
--> 104,root.vehicle.d0,90,190,,,
--> 105,root.vehicle.d0,99,199,11.11,,
--> 106,root.vehicle.d0,99,,,,
--> 1000,root.vehicle.d0,22222,55555,1000.11,,
--> 946684800000,root.vehicle.d0,,100,,good,
--> 1,root.vehicle.d1,999,,,,
--> 1000,root.vehicle.d1,888,,,,
select * from root.vehicle.d* align by device;
--> Time,Device,s0,s1,s2,s3,s4
--> 1,root.vehicle.d0,101,1101,,,
--> 2,root.vehicle.d0,10000,40000,2.22,,
--> 3,root.vehicle.d0,,,3.33,,
--> 4,root.vehicle.d0,,,4.44,,
--> 50,root.vehicle.d0,10000,50000,,,
--> 60,root.vehicle.d0,,,,aaaaa,
--> 70,root.vehicle.d0,,,,bbbbb,
--> 80,root.vehicle.d0,,,,ccccc,
--> 100,root.vehicle.d0,99,199,,,true
--> 101,root.vehicle.d0,99,199,,ddddd,
--> 102,root.vehicle.d0,80,180,10.0,fffff,
--> 103,root.vehicle.d0,99,199,,,
--> 104,root.vehicle.d0,90,190,,,
--> 105,root.vehicle.d0,99,199,11.11,,
--> 106,root.vehicle.d0,99,,,,
--> 1000,root.vehicle.d0,22222,55555,1000.11,,
--> 946684800000,root.vehicle.d0,,100,,good,
--> 1,root.vehicle.d1,999,,,,
--> 1000,root.vehicle.d1,888,,,,
select * from root.vehicle.** order by time asc limit 5 offset 1 align by device;
--> Time,Device,s0,s1,s2,s3,s4
--> 1,root.vehicle.d1,999,,,,
--> 2,root.vehicle.d0,10000,40000,2.22,,
--> 3,root.vehicle.d0,,,3.33,,
--> 4,root.vehicle.d0,,,4.44,,
--> 50,root.vehicle.d0,10000,50000,,,
select * from root.vehicle.** order by device desc, time desc limit 5 offset 1 align by device;
--> Time,Device,s0,s1,s2,s3,s4
--> 1,root.vehicle.d1,999,,,,
--> 946684800000,root.vehicle.d0,,100,,good,
--> 1000,root.vehicle.d0,22222,55555,1000.11,,
--> 106,root.vehicle.d0,99,,,,
--> 105,root.vehicle.d0,99,199,11.11,,
-- A column may be asked for twice.
select s0, s0, s1 from root.vehicle.d0, root.vehicle.d1 align by device;
--> Time,Device,s0,s0,s1
--> 1,root.vehicle.d0,101,101,1101
--> 2,root.vehicle.d0,10000,10000,40000
--> 50,root.vehicle.d0,10000,10000,50000
--> 100,root.vehicle.d0,99,99,199
--> 101,root.vehicle.d0,99,99,199
--> 102,root.vehicle.d0,80,80,180
--> 103,root.vehicle.d0,99,99,199
--> 104,root.vehicle.d0,90,90,190
--> 105,root.vehicle.d0,99,99,199
--> 106,root.vehicle.d0,99,99,
--> 1000,root.vehicle.d0,22222,22222,55555
--> 946684800000,root.vehicle.d0,,,100
--> 1,root.vehicle.d1,999,999,
--> 1000,root.vehicle.d1,888,888,
select s0, s0, s1 from root.vehicle.* limit 10 offset 1 align by device;
--> Time,Device,s0,s0,s1
--> 2,root.vehicle.d0,10000,10000,40000
--> 50,root.vehicle.d0,10000,10000,50000
--> 100,root.vehicle.d0,99,99,199
--> 101,root.vehicle.d0,99,99,199
--> 102,root.vehicle.d0,80,80,180
--> 103,root.vehicle.d0,99,99,199
--> 104,root.vehicle.d0,90,90,190
--> 105,root.vehicle.d0,99,99,199
--> 106,root.vehicle.d0,99,99,
--> 1000,root.vehicle.d0,22222,22222,55555
-- SLIMIT counts columns: a device that has none of those left gives no row.
select s0, s1, s2 from root.vehicle.* slimit 2 soffset 1 align by device;
--> Time,Device,s1,s2
--> 1,root.vehicle.d0,1101,
--> 2,root.vehicle.d0,40000,2.22
--> 3,root.vehicle.d0,,3.33
--> 4,root.vehicle.d0,,4.44
--> 50,root.vehicle.d0,50000,
--> 100,root.vehicle.d0,199,
--> 101,root.vehicle.d0,199,
--> 102,root.vehicle.d0,180,10.0
--> 103,root.vehicle.d0,199,
--> 104,root.vehicle.d0,190,
--> 105,root.vehicle.d0,199,11.11
--> 1000,root.vehicle.d0,55555,1000.11
--> 946684800000,root.vehicle.d0,100,
select * from root.vehicle.d0 limit 1 slimit 3 soffset 1 align by device;
--> Time,Device,s1,s2,s3
--> 1,root.vehicle.d0,1101,,
-- WHERE is asked of each device; a measurement that it has not is null.
select * from root.vehicle.* where s0 > 0 AND s1 < 200 align by device;
--> Time,Device,s0,s1,s2,s3,s4
--> 100,root.vehicle.d0,99,199,,,true
--> 101,root.vehicle.d0,99,199,,ddddd,
--> 102,root.vehicle.d0,80,180,10.0,fffff,
--> 103,root.vehicle.d0,99,199,,,
--> 104,root.vehicle.d0,90,190,,,
--> 105,root.vehicle.d0,99,199,11.11,,
select s0 from root.vehicle.d0 where s1 < 200 align by device;
--> Time,Device,s0
--> 100,root.vehicle.d0,99
--> 101,root.vehicle.d0,99
--> 102,root.vehicle.d0,80
--> 103,root.vehicle.d0,99
--> 104,root.vehicle.d0,90
--> 105,root.vehicle.d0,99
--> 946684800000,root.vehicle.d0,
select s0 from root.vehicle.d0 where s1 < 200 and s2 > 10 align by device;
--> Time,Device,s0
--> 105,root.vehicle.d0,99
select * from root.vehicle.* where s1 == 1101 align by device;
--> Time,Device,s0,s1,s2,s3,s4
--> 1,root.vehicle.d0,101,1101,,,
create timeseries root.good.d1.s1 WITH DATATYPE=INT32;
create timeseries root.good.d1.s2 WITH DATATYPE=INT32;
create timeseries root.good.d2.s1 WITH DATATYPE=INT32;
create timeseries root.good.d2.s2 WITH DATATYPE=INT32;
create timeseries root.good.d3.s2 WITH DATATYPE=INT32;
insert into root.good.d1(time, s1, s2) values (1, 10, 20);
insert into root.good.d2(time, s1, s2) values (1, 12, 22);
insert into root.good.d3(time, s2) values (1, 33);
-- A device that has nothing of what is selected gives no row, whatever WHERE finds in it.
select s1 from root.good.** where s2 > 1 align by device;
--> Time,Device,s1
--> 1,root.good.d1,10
--> 1,root.good.d2,12
-- Aggregates, one row a device and, with GROUP BY, a window.
select count(s0), max_value(s1), max_value(s2), last_value(s3), last_value(s4) from root.vehicle.d1, root.vehicle.d0 align by device;
--> Device,count(s0),max_value(s1),max_value(s2),last_value(s3),last_value(s4)
--> root.vehicle.d0,11,55555,1000.11,good,true
--> root.vehicle.d1,2,,,,
select count(s0), max_value(s1), max_value(s2), last_value(s3), last_value(s4) from root.vehicle.** group by ([2, 50), 20ms) align by device;
--> Time,Device,count(s0),max_value(s1),max_value(s2),last_value(s3),last_value(s4)
--> 2,root.vehicle.d0,1,40000,4.44,,
--> 22,root.vehicle.d0,0,,,,
--> 42,root.vehicle.d0,0,,,,
--> 2,root.vehicle.d1,0,,,,
--> 22,root.vehicle.d1,0,,,,
--> 42,root.vehicle.d1,0,,,,
select count(s2) from root.vehicle.d0 where s2 > 3 and s2 <= 10 group by ([2, 200), 100ms) align by device;
--> Time,Device,count(s2)
--> 2,root.vehicle.d0,2
--> 102,root.vehicle.d0,1
-- One measurement has one type; a function of it may be of one type where it is not.
select s0 from root.*.* align by device;
--! data types of the same measurement column should be the same across devices
select count(s0) from root.vehicle.*, root.other.* align by device;
--> Device,count(s0)
--> root.other.d1,1
--> root.vehicle.d0,11
--> root.vehicle.d1,2
select sum(s0), avg(s0) + 1 from root.vehicle.*, root.other.* align by device;
--> Device,sum(s0),avg(s0) + 1
--> root.other.d1,3.140000104904175,4.140000104904175
--> root.vehicle.d0,42988.0,3909.0
--> root.vehicle.d1,1887.0,944.5
select max_value(s0) from root.vehicle.*, root.other.* align by device;
--! max_value(s0) of root.other.d1 is FLOAT, max_value(s0) of root.vehicle.d0 is INT32
select count(s0) from root.vehicle.*, root.other.* order by max_value(s0) align by device;
--! max_value(s0) of root.other.d1 is FLOAT, max_value(s0) of root.vehicle.d0 is INT32
-- A device named more than once, columns twice, and a wildcard.
select s0, s0, s1, * from root.vehicle.*, root.vehicle.d0, root.vehicle.d1 where time < 20 align by device;
--> Time,Device,s0,s0,s1,s0,s1,s2,s3,s4
--> 1,root.vehicle.d0,101,101,1101,101,1101,,,
--> 2,root.vehicle.d0,10000,10000,40000,10000,40000,2.22,,
--> 3,root.vehicle.d0,,,,,,3.33,,
--> 4,root.vehicle.d0,,,,,,4.44,,
--> 1,root.vehicle.d1,999,999,,999,,,,
select s0, s1, s5 from root.vehicle.* where time < 20 align by device;
--> Time,Device,s0,s1
--> 1,root.vehicle.d0,101,1101
--> 2,root.vehicle.d0,10000,40000
--> 1,root.vehicle.d1,999,
select last_value(s0), last_value(s6) from root.other.** group by ([1, 10), 2ms) having last_value(s0) is not null or last_value(s6) is not null align by device;
--> Time,Device,last_value(s0),last_value(s6)
--> 1,root.other.d1,3.14,
--> 5,root.other.d2,,6.66

-- The orders of devices and times.
CREATE TIMESERIES root.weather.London.precipitation WITH DATATYPE=INT64;
CREATE TIMESERIES root.weather.London.temperature WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.weather.Edinburgh.precipitation WITH DATATYPE=INT64;
CREATE TIMESERIES root.weather.Edinburgh.temperature WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.weather.Belfast.precipitation WITH DATATYPE=INT64;
CREATE TIMESERIES root.weather.Belfast.temperature WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.weather.Birmingham.precipitation WITH DATATYPE=INT64;
CREATE TIMESERIES root.weather.Birmingham.temperature WITH DATATYPE=DOUBLE;
INSERT INTO root.weather.London(time, precipitation, temperature) VALUES (1668960000000, 200, 20.5), (1668960000100, 201, 19.5), (1668960000200, 202, 18.5);
INSERT INTO root.weather.Edinburgh(time, precipitation, temperature) VALUES (1668960000100, 210, 23.5), (1668960000200, 211, 22.5), (1668960000300, 212, 21.5);
INSERT INTO root.weather.Belfast(time, precipitation, temperature) VALUES (1668960000200, 220, 26.5), (1668960000300, 221, 25.5), (1668960000400, 222, 24.5);
INSERT INTO root.weather.Birmingham(time, precipitation, temperature) VALUES (1668960000300, 230, 29.5), (1668960000400, 231, 28.5), (1668960000500, 232, 27.5);
SELECT * FROM root.weather.** ORDER BY DEVICE ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000200,root.weather.London,202,18.5
SELECT * FROM root.weather.** ORDER BY DEVICE ASC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000200,root.weather.London,202,18.5
SELECT * FROM root.weather.** ORDER BY DEVICE DESC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000400,root.weather.Belfast,222,24.5
SELECT * FROM root.weather.** ORDER BY TIME ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000500,root.weather.Birmingham,232,27.5
SELECT * FROM root.weather.** ORDER BY TIME ASC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000500,root.weather.Birmingham,232,27.5
SELECT * FROM root.weather.** ORDER BY TIME DESC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000000,root.weather.London,200,20.5
SELECT * FROM root.weather.** ORDER BY DEVICE ASC, TIME ASC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000200,root.weather.London,202,18.5
SELECT * FROM root.weather.** ORDER BY DEVICE ASC, TIME DESC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000000,root.weather.London,200,20.5
SELECT * FROM root.weather.** ORDER BY DEVICE DESC, TIME ASC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000400,root.weather.Belfast,222,24.5
SELECT * FROM root.weather.** ORDER BY DEVICE DESC, TIME DESC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000200,root.weather.Belfast,220,26.5
SELECT * FROM root.weather.** ORDER BY TIME ASC, DEVICE ASC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000500,root.weather.Birmingham,232,27.5
SELECT * FROM root.weather.** ORDER BY TIME ASC, DEVICE DESC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000500,root.weather.Birmingham,232,27.5
SELECT * FROM root.weather.** ORDER BY TIME DESC, DEVICE ASC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000000,root.weather.London,200,20.5
SELECT * FROM root.weather.** ORDER BY TIME DESC, DEVICE DESC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000000,root.weather.London,200,20.5
SELECT * FROM root.weather.** ORDER BY precipitation DESC ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000000,root.weather.London,200,20.5
SELECT * FROM root.weather.** ORDER BY temperature ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000200,root.weather.Belfast,220,26.5
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000300,root.weather.Birmingham,230,29.5
SELECT * FROM root.weather.** ORDER BY DEVICE DESC, temperature ALIGN BY DEVICE;
--> Time,Device,precipitation,temperature
--> 1668960000200,root.weather.London,202,18.5
--> 1668960000100,root.weather.London,201,19.5
--> 1668960000000,root.weather.London,200,20.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000200,root.weather.Edinburgh,211,22.5
--> 1668960000100,root.weather.Edinburgh,210,23.5
--> 1668960000500,root.weather.Birmingham,232,27.5
--> 1668960000400,root.weather.Birmingham,231,28.5
--> 1668960000300,root.weather.Birmingham,230,29.5
--> 1668960000400,root.weather.Belfast,222,24.5
--> 1668960000300,root.weather.Belfast,221,25.5
--> 1668960000200,root.weather.Belfast,220,26.5
-- The same of windows.
SELECT max_value(precipitation), avg(temperature) FROM root.weather.** GROUP BY ([1668960000000, 1668960000600), 300ms) ORDER BY DEVICE ALIGN BY DEVICE;
--> Time,Device,max_value(precipitation),avg(temperature)
--> 1668960000000,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Belfast,222,25.0
--> 1668960000000,root.weather.Birmingham,,
--> 1668960000300,root.weather.Birmingham,232,28.5
--> 1668960000000,root.weather.Edinburgh,211,23.0
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000000,root.weather.London,202,19.5
--> 1668960000300,root.weather.London,,
SELECT max_value(precipitation), avg(temperature) FROM root.weather.** GROUP BY ([1668960000000, 1668960000600), 300ms) ORDER BY DEVICE DESC ALIGN BY DEVICE;
--> Time,Device,max_value(precipitation),avg(temperature)
--> 1668960000000,root.weather.London,202,19.5
--> 1668960000300,root.weather.London,,
--> 1668960000000,root.weather.Edinburgh,211,23.0
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000000,root.weather.Birmingham,,
--> 1668960000300,root.weather.Birmingham,232,28.5
--> 1668960000000,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Belfast,222,25.0
SELECT max_value(precipitation), avg(temperature) FROM root.weather.** GROUP BY ([1668960000000, 1668960000600), 300ms) ORDER BY TIME ALIGN BY DEVICE;
--> Time,Device,max_value(precipitation),avg(temperature)
--> 1668960000000,root.weather.Belfast,220,26.5
--> 1668960000000,root.weather.Birmingham,,
--> 1668960000000,root.weather.Edinburgh,211,23.0
--> 1668960000000,root.weather.London,202,19.5
--> 1668960000300,root.weather.Belfast,222,25.0
--> 1668960000300,root.weather.Birmingham,232,28.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000300,root.weather.London,,
SELECT max_value(precipitation), avg(temperature) FROM root.weather.** GROUP BY ([1668960000000, 1668960000600), 300ms) ORDER BY TIME DESC ALIGN BY DEVICE;
--> Time,Device,max_value(precipitation),avg(temperature)
--> 1668960000300,root.weather.Belfast,222,25.0
--> 1668960000300,root.weather.Birmingham,232,28.5
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000300,root.weather.London,,
--> 1668960000000,root.weather.Belfast,220,26.5
--> 1668960000000,root.weather.Birmingham,,
--> 1668960000000,root.weather.Edinburgh,211,23.0
--> 1668960000000,root.weather.London,202,19.5
SELECT max_value(precipitation), avg(temperature) FROM root.weather.** GROUP BY ([1668960000000, 1668960000600), 300ms) ORDER BY DEVICE ASC, TIME DESC ALIGN BY DEVICE;
--> Time,Device,max_value(precipitation),avg(temperature)
--> 1668960000300,root.weather.Belfast,222,25.0
--> 1668960000000,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Birmingham,232,28.5
--> 1668960000000,root.weather.Birmingham,,
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000000,root.weather.Edinburgh,211,23.0
--> 1668960000300,root.weather.London,,
--> 1668960000000,root.weather.London,202,19.5
SELECT max_value(precipitation), avg(temperature) FROM root.weather.** GROUP BY ([1668960000000, 1668960000600), 300ms) ORDER BY DEVICE DESC, TIME ASC ALIGN BY DEVICE;
--> Time,Device,max_value(precipitation),avg(temperature)
--> 1668960000000,root.weather.London,202,19.5
--> 1668960000300,root.weather.London,,
--> 1668960000000,root.weather.Edinburgh,211,23.0
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000000,root.weather.Birmingham,,
--> 1668960000300,root.weather.Birmingham,232,28.5
--> 1668960000000,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.Belfast,222,25.0
SELECT max_value(precipitation), avg(temperature) FROM root.weather.** GROUP BY ([1668960000000, 1668960000600), 300ms) ORDER BY TIME ASC, DEVICE DESC ALIGN BY DEVICE;
--> Time,Device,max_value(precipitation),avg(temperature)
--> 1668960000000,root.weather.London,202,19.5
--> 1668960000000,root.weather.Edinburgh,211,23.0
--> 1668960000000,root.weather.Birmingham,,
--> 1668960000000,root.weather.Belfast,220,26.5
--> 1668960000300,root.weather.London,,
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000300,root.weather.Birmingham,232,28.5
--> 1668960000300,root.weather.Belfast,222,25.0
SELECT max_value(precipitation), avg(temperature) FROM root.weather.** GROUP BY ([1668960000000, 1668960000600), 300ms) ORDER BY TIME DESC, DEVICE DESC ALIGN BY DEVICE;
--> Time,Device,max_value(precipitation),avg(temperature)
--> 1668960000300,root.weather.London,,
--> 1668960000300,root.weather.Edinburgh,212,21.5
--> 1668960000300,root.weather.Birmingham,232,28.5
--> 1668960000300,root.weather.Belfast,222,25.0
--> 1668960000000,root.weather.London,202,19.5
--> 1668960000000,root.weather.Edinburgh,211,23.0
--> 1668960000000,root.weather.Birmingham,,
--> 1668960000000,root.weather.Belfast,220,26.5
-- Times that are further apart than 32 bits hold.
CREATE TIMESERIES root.overflow.value WITH DATATYPE=INT32;
INSERT INTO root.overflow(time, value) VALUES (2147483649, 0), (4294967297, 1), (6442450945, 2), (8589934593, 3), (10737418241, 4), (12884901889, 5), (15032385537, 6), (17179869185, 7), (19327352833, 8), (21474836481, 9), (23622320129, 10), (25769803777, 11), (27917287425, 12), (30064771073, 13), (32212254721, 14), (34359738369, 15), (36507222017, 16), (38654705665, 17), (40802189313, 18), (42949672961, 19);
SELECT value FROM root.overflow ALIGN BY DEVICE;
--> Time,Device,value
--> 2147483649,root.overflow,0
--> 4294967297,root.overflow,1
--> 6442450945,root.overflow,2
--> 8589934593,root.overflow,3
--> 10737418241,root.overflow,4
--> 12884901889,root.overflow,5
--> 15032385537,root.overflow,6
--> 17179869185,root.overflow,7
--> 19327352833,root.overflow,8
--> 21474836481,root.overflow,9
--> 23622320129,root.overflow,10
--> 25769803777,root.overflow,11
--> 27917287425,root.overflow,12
--> 30064771073,root.overflow,13
--> 32212254721,root.overflow,14
--> 34359738369,root.overflow,15
--> 36507222017,root.overflow,16
--> 38654705665,root.overflow,17
--> 40802189313,root.overflow,18
--> 42949672961,root.overflow,19
SELECT value FROM root.overflow WHERE value < 4 ORDER BY TIME DESC ALIGN BY DEVICE;
--> Time,Device,value
--> 8589934593,root.overflow,3
--> 6442450945,root.overflow,2
--> 4294967297,root.overflow,1
--> 2147483649,root.overflow,0
-- Aggregates of one kind over measurements of several, written by a statement and by a continuous query.
\clock 2026-01-01T00:00:00Z
create timeseries root.mix.d1.s0 with datatype=INT32;
create timeseries root.mix.d2.s0 with datatype=DOUBLE;
create cq mixed resample every 10s begin select count(s0) as c, sum(s0) as s, avg(s0) as a into root.mixed.::(c, s, a) from root.mix.* group by(10s) align by device end;
insert into root.mix.d1(time, s0) values (2026-01-01T00:00:01Z, 3), (2026-01-01T00:00:02Z, 4);
insert into root.mix.d2(time, s0) values (2026-01-01T00:00:01Z, 3.5), (2026-01-01T00:00:02Z, 4.5);
\advance 11s
\wait
select c, s, a from root.mixed.* where time >= 2026-01-01T00:00:00Z align by device;
--> Time,Device,c,s,a
--> 1767225600000,root.mixed.d1,2,7.0,3.5
--> 1767225600000,root.mixed.d2,2,8.0,4.0
select sum(s0) into root.summed.::(s) from root.mix.* align by device;
--> SourceDevice,SourceColumn,TargetTimeseries,Written
--> root.mix.d1,sum(s0),root.summed.d1.s,1
--> root.mix.d2,sum(s0),root.summed.d2.s,1
select first_value(s0) into root.summed.::(v) from root.mix.* align by device;
--! the data types of the same measurement column should be the same across devices
