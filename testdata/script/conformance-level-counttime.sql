-- GROUP BY LEVEL, COUNT_TIME and pagination, with the data and results of IoTDB's tests.

CREATE TIMESERIES root.sg1.d1.status WITH DATATYPE=BOOLEAN, ENCODING=PLAIN;
CREATE TIMESERIES root.sg1.d1.temperature WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TIMESERIES root.sg1.d2.status WITH DATATYPE=BOOLEAN, ENCODING=PLAIN;
CREATE TIMESERIES root.sg1.d2.temperature WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TIMESERIES root.sg2.d1.status WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.sg2.d1.temperature WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TIMESERIES root.sg2.d2.temperature WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
INSERT INTO root.sg1.d1(timestamp, status) values (150, true);
INSERT INTO root.sg1.d1(timestamp, status, temperature) values (200, false, 20.71), (600, false, 71.12);
INSERT INTO root.sg1.d2(timestamp, status, temperature) values (200, false, 42.66), (300, false, 46.77), (700, true, 62.15);
INSERT INTO root.sg2.d1(timestamp, status, temperature) values (100, 3, 88.24), (500, 5, 125.5);
INSERT INTO root.sg2.d2(timestamp, temperature) values (200, 105.5), (800, 61.22);
select sum(temperature) from root.sg1.* GROUP BY level=1;
--> sum(root.sg1.*.temperature)
--> 243.41000000000003
select sum(temperature) from root.sg2.* GROUP BY level=1;
--> sum(root.sg2.*.temperature)
--> 380.46000000000004
select sum(temperature) from root.*.* GROUP BY level=0;
--> sum(root.*.*.temperature)
--> 623.87
select sum(temperature) from root.sg1.* GROUP BY level=1,2;
--> sum(root.sg1.d1.temperature),sum(root.sg1.d2.temperature)
--> 91.83000000000001,151.58
select avg(temperature) from root.*.* GROUP BY level=0;
--> avg(root.*.*.temperature)
--> 69.31888888888889
select count(status), min_time(temperature) from root.*.* GROUP BY level=2;
--> count(root.*.d1.status),count(root.*.d2.status),min_time(root.*.d1.temperature),min_time(root.*.d2.temperature)
--> 5,3,100,200
select max_time(status), count(temperature) from root.sg1.* GROUP BY level=2;
--> max_time(root.*.d1.status),max_time(root.*.d2.status),count(root.*.d1.temperature),count(root.*.d2.temperature)
--> 600,700,2,3
select max_time(status) from root.*.* GROUP BY level=1, 2;
--> max_time(root.sg1.d1.status),max_time(root.sg1.d2.status),max_time(root.sg2.d1.status)
--> 600,700,500
select last_value(temperature), max_value(temperature) from root.*.* GROUP BY level=0;
--> last_value(root.*.*.temperature),max_value(root.*.*.temperature)
--> 61.22,125.5
select last_value(temperature), max_value(temperature) from root.sg1.* GROUP BY level=2;
--> last_value(root.*.d1.temperature),last_value(root.*.d2.temperature),max_value(root.*.d1.temperature),max_value(root.*.d2.temperature)
--> 71.12,62.15,71.12,62.15
select count(*) from root.*.* GROUP BY level=0;
--> count(root.*.*.*)
--> 17
select count(**) from root GROUP BY level=0;
--> count(root.*.*.*)
--> 17
select count(*) as ct from root.sg1.d1 GROUP BY level=0;
--> ct
--> 5
select count(status) from root.*.* GROUP BY level=0;
--> count(root.*.*.status)
--> 8
select count(temperature) as ct from root.sg1.d1, root.sg1.d2 GROUP BY level=1;
--> ct
--> 5
select count(temperature) as ct from root.sg1.* GROUP BY level=1;
--> ct
--> 5
select cOuNt(temperature) from root.sg1.d1, root.sg1.d2 GROUP BY level=1;
--> cOuNt(root.sg1.*.temperature)
--> 5
select count(temperature) as ct from root.sg1.* GROUP BY level=2;
--! can only be matched with one
select count(temperature) as ct from root.sg1.d1, root.sg2.d2 GROUP BY level=2;
--! can only be matched with one
select count(temperature) as ct from root.sg1.d1, root.sg1.d2 GROUP BY ([0, 600), 100ms), level=1;
--> Time,ct
--> 0,0
--> 100,0
--> 200,2
--> 300,1
--> 400,0
--> 500,0
DELETE TIMESERIES root.**;

CREATE TIMESERIES root.db.d1.s1 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d1.s2 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d2.s1 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d2.s2 WITH DATATYPE=INT32, ENCODING=PLAIN;
INSERT INTO root.db.d1(time, s1) VALUES (1, 1);
INSERT INTO root.db.d1(time, s2) VALUES (2, 2);
INSERT INTO root.db.d2(time, s2) VALUES (1, 1);
INSERT INTO root.downsampling.d1(time, s1) VALUES (0, 0), (4, 4), (5, 5), (8, 8);
INSERT INTO root.downsampling.d1(time, s2) VALUES (1, 1), (2, 2), (5, 5), (7, 7), (8, 8), (9, 9);
INSERT INTO root.downsampling.d2(time, s1) VALUES (1, 1), (2, 2), (5, 5), (7, 7), (8, 8);
INSERT INTO root.downsampling.d2(time, s2) VALUES (0, 0), (4, 4), (5, 5), (8, 8);
INSERT INTO root.variation.d1(time, state) VALUES (0, 0), (1, 0), (3, 0), (4, 0), (5, 1), (6, 1);
INSERT INTO root.variation.d1(time, s1) VALUES (0, 0), (2, 2), (3, 3), (6, 6);
INSERT INTO root.variation.d2(time, state) VALUES (0, 0), (2, 1), (3, 1), (4, 1), (6, 1);
INSERT INTO root.variation.d2(time, s1) VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO root.session.d1(time, state) VALUES (0, 0), (1, 0), (20, 0), (23, 0), (40, 0), (55, 1), (56, 1);
INSERT INTO root.session.d1(time, s1) VALUES (0, 0), (20, 2), (23, 3), (56, 6);
INSERT INTO root.session.d2(time, state) VALUES (0, 0), (20, 1), (23, 1), (40, 1), (56, 1);
INSERT INTO root.session.d2(time, s1) VALUES (1, 1), (20, 2), (23, 3);
INSERT INTO root.condition.d1(time, state) VALUES (0, 0), (1, 1), (23, 1), (40, 0), (55, 1), (56, 1);
INSERT INTO root.condition.d1(time, s1) VALUES (0, 0), (23, 3), (56, 6);
INSERT INTO root.condition.d1(time, s2) VALUES (0, 0), (1, 1), (20, 2), (23, 3);
INSERT INTO root.condition.d2(time, state) VALUES (0, 0), (20, 1), (23, 1), (40, 1), (56, 1);
INSERT INTO root.condition.d2(time, s1) VALUES (1, 1), (20, 2), (23, 3);
select count_time(*) from root.db.** align by device;
--> Device,count_time(*)
--> root.db.d1,2
--> root.db.d2,1
SELECT count_time(*) FROM root.downsampling.** GROUP BY([0, 10), 2ms);
--> Time,count_time(*)
--> 0,2
--> 2,1
--> 4,2
--> 6,1
--> 8,2
SELECT count_time(*) FROM root.downsampling.d1 GROUP BY([0, 10), 2ms);
--> Time,count_time(*)
--> 0,2
--> 2,1
--> 4,2
--> 6,1
--> 8,2
SELECT count_time(*) FROM root.downsampling.** GROUP BY([0, 10), 2ms) ALIGN BY DEVICE;
--> Time,Device,count_time(*)
--> 0,root.downsampling.d1,2
--> 2,root.downsampling.d1,1
--> 4,root.downsampling.d1,2
--> 6,root.downsampling.d1,1
--> 8,root.downsampling.d1,2
--> 0,root.downsampling.d2,2
--> 2,root.downsampling.d2,1
--> 4,root.downsampling.d2,2
--> 6,root.downsampling.d2,1
--> 8,root.downsampling.d2,1
select __endTime, count_time(*) from root.variation.d1 group by variation(state, 0, ignoreNull=False);
--> Time,__endTime,count_time(*)
--> 0,1,2
--> 2,2,1
--> 3,4,2
--> 5,6,2
select __endTime, count_time(*) from root.variation.** group by variation(state, 0, ignoreNull=False) align by device;
--> Time,Device,__endTime,count_time(*)
--> 0,root.variation.d1,1,2
--> 2,root.variation.d1,2,1
--> 3,root.variation.d1,4,2
--> 5,root.variation.d1,6,2
--> 0,root.variation.d2,0,1
--> 1,root.variation.d2,1,1
--> 2,root.variation.d2,6,4
select __endTime, count_time(*) from root.session.** group by session(10ms);
--> Time,__endTime,count_time(*)
--> 0,1,2
--> 20,23,2
--> 40,40,1
--> 55,56,2
select __endTime, count_time(*) from root.session.** group by session(10ms) align by device;
--> Time,Device,__endTime,count_time(*)
--> 0,root.session.d1,1,2
--> 20,root.session.d1,23,2
--> 40,root.session.d1,40,1
--> 55,root.session.d1,56,2
--> 0,root.session.d2,1,2
--> 20,root.session.d2,23,2
--> 40,root.session.d2,40,1
--> 56,root.session.d2,56,1
select count_time(*) from root.condition.d1 group by condition(state=1, KEEP>=2, ignoreNull=false);
--> Time,count_time(*)
--> 55,2
select count_time(*) from root.condition.** group by condition(state=1, KEEP>=2, ignoreNull=false) align by device;
--> Time,Device,count_time(*)
--> 55,root.condition.d1,2
--> 20,root.condition.d2,4

CREATE TIMESERIES root.vehicle.d0.s0 WITH DATATYPE=INT32, ENCODING=RLE;
CREATE TIMESERIES root.vehicle.d0.s1 WITH DATATYPE=INT64, ENCODING=RLE;
CREATE TIMESERIES root.vehicle.d0.s2 WITH DATATYPE=FLOAT, ENCODING=RLE;
insert into root.vehicle.d0(timestamp, s0) values (1, 101), (2, 198), (100, 99), (101, 99), (102, 80), (103, 99), (104, 90), (105, 99), (106, 99);
insert into root.vehicle.d0(timestamp, s0) values (2, 10000), (50, 10000), (1000, 22222);
insert into root.vehicle.d0(timestamp, s1) values (1, 1101), (2, 198), (100, 199), (101, 199), (102, 180), (103, 199), (104, 190), (105, 199);
insert into root.vehicle.d0(timestamp, s1) values (2, 40000), (50, 50000), (1000, 55555);
insert into root.vehicle.d0(timestamp, s2) values (1000, 55555), (2, 2.22), (3, 3.33), (4, 4.44), (102, 10.00), (105, 11.11), (1000, 1000.11);
insert into root.vehicle.d0(timestamp, s1) values (2000-01-01T08:00:00+08:00, 100);
SELECT s1 FROM root.vehicle.d0 WHERE time<200 limit 3;
--> Time,root.vehicle.d0.s1
--> 1,1101
--> 2,40000
--> 50,50000
SELECT s0 FROM root.vehicle.d0 WHERE s1 > 190 limit 3;
--> Time,root.vehicle.d0.s0
--> 1,101
--> 2,10000
--> 50,10000
SELECT s1,s2 FROM root.vehicle.d0 WHERE s1 > 190 or s2 < 10.0 limit 3 offset 2;
--> Time,root.vehicle.d0.s1,root.vehicle.d0.s2
--> 3,,3.33
--> 4,,4.44
--> 50,50000,
SELECT * FROM root.vehicle.d0 slimit 1;
--> Time,root.vehicle.d0.s0
--> 1,101
--> 2,10000
--> 50,10000
--> 100,99
--> 101,99
--> 102,80
--> 103,99
--> 104,90
--> 105,99
--> 106,99
--> 1000,22222
SELECT * FROM root.vehicle.d0 slimit 1 soffset 2;
--> Time,root.vehicle.d0.s2
--> 2,2.22
--> 3,3.33
--> 4,4.44
--> 102,10.0
--> 105,11.11
--> 1000,1000.11
SELECT * FROM root.vehicle.d0 WHERE s1 > 190 or s2 < 10.0 limit 3 offset 1 slimit 1 soffset 2;
--> Time,root.vehicle.d0.s2
--> 2,2.22
--> 3,3.33
--> 4,4.44
