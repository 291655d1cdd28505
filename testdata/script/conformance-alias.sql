-- Names given with AS: cases of IoTDB's AliasIT.

insert into root.sg1.d1(time, s1, s2) values (0, -1, 1), (1, -2, 2), (2, -3, 3);
CREATE TIMESERIES root.sg2.d1.s1 WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.sg2.d1.s2 WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.sg2.d2.s1 WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.sg2.d2.s2 WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.sg2.d2.s3 WITH DATATYPE=FLOAT;
insert into root.sg2.d1(time, s1, s2) values (100, 10.1, 20.7), (200, 15.2, 22.9), (300, 30.3, 25.1), (400, 50.4, 28.3);
insert into root.sg2.d2(time, s1, s2, s3) values (100, 11.1, 20.2, 80.0), (200, 20.2, 21.8, 81.0), (300, 45.3, 23.4, 82.0), (400, 73.4, 26.3, 83.0);
-- A wildcard may carry one if it matches one series.
select s3 as power from root.sg2.*;
--> Time,power
--> 100,80.0
--> 200,81.0
--> 300,82.0
--> 400,83.0
select s1 as speed, s2 as temperature from root.sg2.d1;
--> Time,speed,temperature
--> 100,10.1,20.7
--> 200,15.2,22.9
--> 300,30.3,25.1
--> 400,50.4,28.3
select s1 as speed, s2 from root.sg2.d1;
--> Time,speed,root.sg2.d1.s2
--> 100,10.1,20.7
--> 200,15.2,22.9
--> 300,30.3,25.1
--> 400,50.4,28.3
select s1 as speed from root.sg2.*;
--! alias 'speed' can only be matched with one time series
select count(s1) as s1_num, max_value(s2) as s2_max from root.sg2.d1;
--> s1_num,s2_max
--> 4,28.3
select count(s1) as s1_num from root.sg2.*;
--! alias 's1_num' can only be matched with one time series
select count(s1) as 's1_num' from root.sg2.d1 group by ([100, 500), 80ms);
--> Time,s1_num
--> 100,1
--> 180,1
--> 260,1
--> 340,1
--> 420,0
select s1 as speed, s2 as temperature from root.sg2.d1 align by device;
--> Time,Device,speed,temperature
--> 100,root.sg2.d1,10.1,20.7
--> 200,root.sg2.d1,15.2,22.9
--> 300,root.sg2.d1,30.3,25.1
--> 400,root.sg2.d1,50.4,28.3
select s1 as speed, s2 from root.sg2.* align by device;
--> Time,Device,speed,s2
--> 100,root.sg2.d1,10.1,20.7
--> 200,root.sg2.d1,15.2,22.9
--> 300,root.sg2.d1,30.3,25.1
--> 400,root.sg2.d1,50.4,28.3
--> 100,root.sg2.d2,11.1,20.2
--> 200,root.sg2.d2,20.2,21.8
--> 300,root.sg2.d2,45.3,23.4
--> 400,root.sg2.d2,73.4,26.3
select s1 as speed, s1 from root.sg2.d1 align by device;
--> Time,Device,speed,s1
--> 100,root.sg2.d1,10.1,10.1
--> 200,root.sg2.d1,15.2,15.2
--> 300,root.sg2.d1,30.3,30.3
--> 400,root.sg2.d1,50.4,50.4
select count(s1) as s1_num, count(s2), count(s3) as s3_num from root.sg2.d2 align by device;
--> Device,s1_num,count(s2),s3_num
--> root.sg2.d2,4,4,4
select * as speed from root.sg2.d1 align by device;
--! can only be matched with one time series
-- Of functions over rows, beside the same function without one; Java has other last digits of two of these sines.
select -s1, sin(cos(tan(s1))) as a, cos(s2), top_k(s1 + s1, 'k'='1') as b from root.sg1.d1 where time >= 1509466140000;
--> Time,-root.sg1.d1.s1,a,cos(root.sg1.d1.s2),b
select -s1, sin(cos(tan(s1))) as a, cos(s2), top_k(s1 + s1, 'k'='1') as b from root.sg1.d1;
--> Time,-root.sg1.d1.s1,a,cos(root.sg1.d1.s2),b
--> 0,1.0,0.01338780219320592,0.5403023058681398,-2.0
--> 1,2.0,-0.5449592372801408,-0.4161468365471424,
--> 2,3.0,0.8359477452180155,-0.9899924966004454,
select -s1, -s1, sin(cos(tan(s1))) as a, sin(cos(tan(s1))), cos(s2), top_k(s1 + s1, 'k'='1') as b, cos(s2) from root.sg1.d1;
--> Time,-root.sg1.d1.s1,-root.sg1.d1.s1,a,sin(cos(tan(root.sg1.d1.s1))),cos(root.sg1.d1.s2),b,cos(root.sg1.d1.s2)
--> 0,1.0,1.0,0.01338780219320592,0.01338780219320592,0.5403023058681398,-2.0,0.5403023058681398
--> 1,2.0,2.0,-0.5449592372801408,-0.5449592372801408,-0.4161468365471424,,-0.4161468365471424
--> 2,3.0,3.0,0.8359477452180155,0.8359477452180155,-0.9899924966004454,,-0.9899924966004454
select s1, s2, sin(s1 + s2) as a from root.sg1.d1;
--> Time,root.sg1.d1.s1,root.sg1.d1.s2,a
--> 0,-1.0,1.0,0.0
--> 1,-2.0,2.0,0.0
--> 2,-3.0,3.0,0.0
-- The name of a function stays as it was written.
select Count(s1), MAX_VALUE(s1), Sin(avg(s1)) as x from root.sg2.d1 where time > 1000;
--> Count(root.sg2.d1.s1),MAX_VALUE(root.sg2.d1.s1),x
--> 0,,
select COUNT(s1), mAx_VaLuE(s1), avg(s1) as AVG from root.sg2.d1 where time <= 200;
--> COUNT(root.sg2.d1.s1),mAx_VaLuE(root.sg2.d1.s1),AVG
--> 2,15.2,12.650000095367432
-- The alias of a series is shown; it is not a second name of the series.
CREATE TIMESERIES root.sg.d1.s1(speed) WITH DATATYPE=FLOAT;
insert into root.sg.d1(time, s1) values (1, 2.5);
select s1 from root.sg.d1;
--> Time,root.sg.d1.s1
--> 1,2.5
select speed from root.sg.d1;
--> Time
