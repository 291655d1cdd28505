-- GROUP BY CONDITION and COUNT, with the data and results of IoTDB's tests.

CREATE TIMESERIES root.db.beijing.car01.charging_status WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.db.beijing.car01.soc WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TIMESERIES root.db.beijing.car01.vehicle_status WITH DATATYPE=INT32, ENCODING=PLAIN;
INSERT INTO root.db.beijing.car01(timestamp, charging_status, soc, vehicle_status) VALUES
  (1, 1, 14, 1), (2, 1, 16, 1), (3, 0, 16, 1), (4, 0, 16, 1), (5, 1, 18, 1), (6, 1, 24, 1),
  (7, 1, 36, 1), (8, null, 36, 1), (9, 1, 45, 1), (10, 1, 60, 1), (110000000, null, 60, 1), (120000000, null, null, 0),
  (130000000, null, null, 0), (140000000, null, null, 0), (150000000, null, null, 0), (160000000, null, null, 0), (170000000, null, null, 0), (180000000, null, null, 1),
  (1900000000, 1, 55, 1), (2000000000, 1, 70, 1), (2100000000, null, 70, 1), (2200000000, null, 70, 1), (2300000000, null, 69, 1), (2400000000, 1, 80, 1),
  (2500000000, 1, 100, 1);
CREATE TIMESERIES root.db.beijing.car02.charging_status WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.db.beijing.car02.soc WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TIMESERIES root.db.beijing.car02.vehicle_status WITH DATATYPE=INT32, ENCODING=PLAIN;
INSERT INTO root.db.beijing.car02(timestamp, charging_status, soc, vehicle_status) VALUES
  (1, 1, 14, 1), (2, 1, 16, 1), (3, 0, 16, 1), (4, 0, 16, 1), (5, 1, 18, 1), (6, 1, 24, 1),
  (7, 1, 36, 1), (8, null, 36, 1), (9, 1, 45, 1), (10, 1, 60, 1), (110000000, null, 60, 1), (120000000, null, null, 0),
  (130000000, null, null, 0), (140000000, null, null, 0), (150000000, null, null, 0), (160000000, null, null, 0), (170000000, null, null, 0), (180000000, null, null, 1),
  (1900000000, 1, 55, 1), (2000000000, 1, 70, 1), (2100000000, null, 70, 1), (2200000000, null, 70, 1), (2300000000, null, 69, 1), (2400000000, 1, 80, 1),
  (2500000000, 1, 100, 1);
select __endTime, max_time(charging_status) - min_time(charging_status), count(vehicle_status), last_value(soc) from root.db.beijing.car01 group by condition(charging_status=1, KEEP>=2, ignoreNull=false);
--> Time,__endTime,max_time(root.db.beijing.car01.charging_status) - min_time(root.db.beijing.car01.charging_status),count(root.db.beijing.car01.vehicle_status),last_value(root.db.beijing.car01.soc)
--> 1,2,1.0,2,16.0
--> 5,7,2.0,3,36.0
--> 9,10,1.0,2,60.0
--> 1900000000,2000000000,1.0E8,2,70.0
--> 2400000000,2500000000,1.0E8,2,100.0
select __endTime, max_time(charging_status) - min_time(charging_status), count(vehicle_status), last_value(soc) from root.db.beijing.car01 group by condition(charging_status=1, KEEP>=2, ignoreNull=true);
--> Time,__endTime,max_time(root.db.beijing.car01.charging_status) - min_time(root.db.beijing.car01.charging_status),count(root.db.beijing.car01.vehicle_status),last_value(root.db.beijing.car01.soc)
--> 1,2,1.0,2,16.0
--> 5,2500000000,2.499999995E9,9,100.0
select __endTime, max_time(charging_status) - min_time(charging_status), count(vehicle_status), last_value(soc) from root.db.beijing.car01 group by condition(charging_status=1, KEEP>=3, ignoreNull=true);
--> Time,__endTime,max_time(root.db.beijing.car01.charging_status) - min_time(root.db.beijing.car01.charging_status),count(root.db.beijing.car01.vehicle_status),last_value(root.db.beijing.car01.soc)
--> 5,2500000000,2.499999995E9,9,100.0
select __endTime, max_time(charging_status) - min_time(charging_status), count(vehicle_status), last_value(soc) from root.db.beijing.car01 group by condition(charging_status=1, KEEP>=3, ignoreNull=false);
--> Time,__endTime,max_time(root.db.beijing.car01.charging_status) - min_time(root.db.beijing.car01.charging_status),count(root.db.beijing.car01.vehicle_status),last_value(root.db.beijing.car01.soc)
--> 5,7,2.0,3,36.0
select __endTime, max_time(charging_status) - min_time(charging_status), count(vehicle_status), last_value(soc) from root.db.beijing.car01 group by condition(charging_status=0, KEEP=2, ignoreNull=true);
--> Time,__endTime,max_time(root.db.beijing.car01.charging_status) - min_time(root.db.beijing.car01.charging_status),count(root.db.beijing.car01.vehicle_status),last_value(root.db.beijing.car01.soc)
--> 3,4,1.0,2,16.0
select __endTime, max_time(charging_status) - min_time(charging_status), count(vehicle_status), last_value(soc) from root.db.beijing.car01 group by condition(soc>=24.0, KEEP<=15);
--> Time,__endTime,max_time(root.db.beijing.car01.charging_status) - min_time(root.db.beijing.car01.charging_status),count(root.db.beijing.car01.vehicle_status),last_value(root.db.beijing.car01.soc)
--> 6,2500000000,2.499999994E9,13,100.0
select __endTime, max_time(charging_status) - min_time(charging_status), count(vehicle_status), last_value(soc) from root.db.beijing.** group by condition(charging_status=1, KEEP>=2, ignoreNull=false) align by device;
--> Time,Device,__endTime,max_time(charging_status) - min_time(charging_status),count(vehicle_status),last_value(soc)
--> 1,root.db.beijing.car01,2,1.0,2,16.0
--> 5,root.db.beijing.car01,7,2.0,3,36.0
--> 9,root.db.beijing.car01,10,1.0,2,60.0
--> 1900000000,root.db.beijing.car01,2000000000,1.0E8,2,70.0
--> 2400000000,root.db.beijing.car01,2500000000,1.0E8,2,100.0
--> 1,root.db.beijing.car02,2,1.0,2,16.0
--> 5,root.db.beijing.car02,7,2.0,3,36.0
--> 9,root.db.beijing.car02,10,1.0,2,60.0
--> 1900000000,root.db.beijing.car02,2000000000,1.0E8,2,70.0
--> 2400000000,root.db.beijing.car02,2500000000,1.0E8,2,100.0
select __endTime, max_time(charging_status) - min_time(charging_status), count(vehicle_status), last_value(soc) from root.db.beijing.car01 group by condition(charging_status=1, KEEP>=2, ignoreNull=false) having count(vehicle_status) > 2;
--> Time,__endTime,max_time(root.db.beijing.car01.charging_status) - min_time(root.db.beijing.car01.charging_status),count(root.db.beijing.car01.vehicle_status),last_value(root.db.beijing.car01.soc)
--> 5,7,2.0,3,36.0

CREATE TIMESERIES root.sg.beijing.car01.charging_status WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.sg.beijing.car01.soc WITH DATATYPE=INT64, ENCODING=PLAIN;
CREATE TIMESERIES root.sg.beijing.car01.vehicle_status WITH DATATYPE=INT32, ENCODING=PLAIN;
INSERT INTO root.sg.beijing.car01(timestamp, charging_status, soc, vehicle_status) VALUES
  (1, 1, 14, 1), (2, 1, 16, 1), (3, 0, 16, 1), (4, 0, 16, 1), (5, 1, 18, 1), (6, 1, 24, 1),
  (7, 1, 36, 1), (8, null, 36, 1), (9, 1, 45, 1), (10, 1, 60, 1), (1100000000, null, 60, 1), (1200000000, null, 0, 0),
  (1900000000, 1, 55, 1), (2000000000, 1, 70, 1), (2100000000, null, 70, 1), (2200000000, null, 70, 1), (2300000000, null, 69, 1), (2400000000, 1, 80, 1),
  (2500000000, 1, 100, 1), (2600000000, 0, 101, 1);
CREATE TIMESERIES root.sg.beijing.car02.charging_status WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.sg.beijing.car02.soc WITH DATATYPE=INT64, ENCODING=PLAIN;
CREATE TIMESERIES root.sg.beijing.car02.vehicle_status WITH DATATYPE=INT32, ENCODING=PLAIN;
INSERT INTO root.sg.beijing.car02(timestamp, charging_status, soc, vehicle_status) VALUES
  (1, 1, 14, 1), (2, 1, 16, 1), (3, 0, 16, 1), (4, 0, 16, 1), (5, 1, 18, 1), (6, 1, 24, 1),
  (7, 1, 36, 1), (8, null, 36, 1), (9, 1, 45, 1), (10, 1, 60, 1), (1100000000, null, 60, 1), (1200000000, null, 0, 0),
  (1900000000, 1, 55, 1), (2000000000, 1, 70, 1), (2100000000, null, 70, 1), (2200000000, null, 70, 1), (2300000000, null, 69, 1), (2400000000, 1, 80, 1),
  (2500000000, 1, 100, 1), (2600000000, 0, 101, 1);
select __endTime, sum(charging_status), count(vehicle_status), last_value(soc) from root.sg.beijing.car01 group by count(charging_status, 5);
--> Time,__endTime,sum(root.sg.beijing.car01.charging_status),count(root.sg.beijing.car01.vehicle_status),last_value(root.sg.beijing.car01.soc)
--> 1,5,3.0,5,18
--> 6,1900000000,5.0,5,55
select __endTime, sum(charging_status), count(vehicle_status), last_value(soc) from root.sg.beijing.car01 group by count(charging_status, 12);
--> Time,__endTime,sum(root.sg.beijing.car01.charging_status),count(root.sg.beijing.car01.vehicle_status),last_value(root.sg.beijing.car01.soc)
--> 1,2400000000,10.0,12,80
select __endTime, first_value(soc) from root.sg.beijing.car01 group by count(charging_status, 5);
--> Time,__endTime,first_value(root.sg.beijing.car01.soc)
--> 1,5,14
--> 6,1900000000,24
select __endTime, first_value(soc) from root.sg.beijing.car01 group by count(charging_status, 7);
--> Time,__endTime,first_value(root.sg.beijing.car01.soc)
--> 1,7,14
--> 9,2600000000,45
select __endTime, first_value(soc) from root.sg.beijing.car01 group by count(charging_status, 2);
--> Time,__endTime,first_value(root.sg.beijing.car01.soc)
--> 1,2,14
--> 3,4,16
--> 5,6,18
--> 7,9,36
--> 10,1900000000,60
--> 2000000000,2400000000,70
--> 2500000000,2600000000,100
select __endTime, sum(charging_status), count(vehicle_status), last_value(soc) from root.sg.beijing.car01 group by count(charging_status, 2);
--> Time,__endTime,sum(root.sg.beijing.car01.charging_status),count(root.sg.beijing.car01.vehicle_status),last_value(root.sg.beijing.car01.soc)
--> 1,2,2.0,2,16
--> 3,4,0.0,2,16
--> 5,6,2.0,2,24
--> 7,9,2.0,2,45
--> 10,1900000000,2.0,2,55
--> 2000000000,2400000000,2.0,2,80
--> 2500000000,2600000000,1.0,2,101
select sum(charging_status), count(vehicle_status), last_value(soc) from root.sg.beijing.car01 group by count(charging_status, 2) having sum(charging_status)<2;
--> Time,sum(root.sg.beijing.car01.charging_status),count(root.sg.beijing.car01.vehicle_status),last_value(root.sg.beijing.car01.soc)
--> 3,0.0,2,16
--> 2500000000,1.0,2,101
select __endTime, sum(charging_status), count(vehicle_status), last_value(soc) from root.sg.beijing.car01 group by count(charging_status, 5, ignoreNull=false);
--> Time,__endTime,sum(root.sg.beijing.car01.charging_status),count(root.sg.beijing.car01.vehicle_status),last_value(root.sg.beijing.car01.soc)
--> 1,5,3.0,5,18
--> 6,10,4.0,5,60
--> 1100000000,2100000000,2.0,5,70
--> 2200000000,2600000000,2.0,5,101
select __endTime, first_value(soc) from root.sg.beijing.car01 group by count(charging_status, 2, ignoreNull=false);
--> Time,__endTime,first_value(root.sg.beijing.car01.soc)
--> 1,2,14
--> 3,4,16
--> 5,6,18
--> 7,8,36
--> 9,10,45
--> 1100000000,1200000000,60
--> 1900000000,2000000000,55
--> 2100000000,2200000000,70
--> 2300000000,2400000000,69
--> 2500000000,2600000000,100
select __endTime, sum(charging_status), count(vehicle_status), last_value(soc) from root.sg.beijing.** group by count(charging_status, 5) align by device;
--> Time,Device,__endTime,sum(charging_status),count(vehicle_status),last_value(soc)
--> 1,root.sg.beijing.car01,5,3.0,5,18
--> 6,root.sg.beijing.car01,1900000000,5.0,5,55
--> 1,root.sg.beijing.car02,5,3.0,5,18
--> 6,root.sg.beijing.car02,1900000000,5.0,5,55
-- The page of the user guide writes ignoringNull.
INSERT INTO root.guide.car01(time, soc, charging_status, vehicle_status) VALUES (1, 14, 1, 1), (2, 16, 1, 1), (3, 16, 0, 1), (4, 16, 0, 1), (5, 18, 1, 1),
  (6, 24, 1, 1), (7, 36, 1, 1), (8, 36, null, 1), (9, 45, 1, 1), (10, 60, 1, 1);
select max_time(charging_status), count(vehicle_status), last_value(soc) from root.guide.** group by condition(charging_status=1, KEEP>=2, ignoringNull=true);
--> Time,max_time(root.guide.car01.charging_status),count(root.guide.car01.vehicle_status),last_value(root.guide.car01.soc)
--> 1,2,2,16.0
--> 5,10,5,60.0
select max_time(charging_status), count(vehicle_status), last_value(soc) from root.guide.** group by condition(charging_status=1, KEEP>=2, ignoringNull=false);
--> Time,max_time(root.guide.car01.charging_status),count(root.guide.car01.vehicle_status),last_value(root.guide.car01.soc)
--> 1,2,2,16.0
--> 5,7,3,36.0
--> 9,10,2,60.0
