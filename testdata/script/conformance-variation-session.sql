-- GROUP BY VARIATION and SESSION, with the data and results of IoTDB's tests.

CREATE TIMESERIES root.ln.wf01.wt01.status WITH DATATYPE=BOOLEAN, ENCODING=PLAIN;
CREATE TIMESERIES root.ln.wf01.wt01.temperature WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TIMESERIES root.ln.wf01.wt01.hardware WITH DATATYPE=INT32, ENCODING=PLAIN;
INSERT INTO root.ln.wf01.wt01(timestamp, temperature, status, hardware) VALUES
  (1, 35.7, false, 11), (2, 35.8, true, 22), (3, 35.4, false, 33), (4, 36.4, false, 44), (5, 36.8, false, 55), (10, 36.8, false, 110),
  (20, 37.8, true, 220), (30, 37.5, false, 330), (40, 37.4, false, 440), (50, 37.9, false, 550), (100, 38.0, false, 110), (150, 38.8, true, 220),
  (200, 38.6, false, 330), (250, 38.4, false, 440), (300, 38.3, false, 550), (400, null, null, null), (440, null, null, null), (480, null, null, null),
  (500, 38.2, false, 110), (510, 37.5, true, 220), (520, 37.4, false, 330), (530, 36.8, false, 440), (540, 37.4, false, 550), (580, 37.8, false, 110),
  (590, 37.9, true, 220), (600, 36.9, true, 330), (610, 38.2, true, 440), (620, 39.2, true, 550), (1500, 9.8, false, 666), (1550, 10.2, true, 888);
CREATE TIMESERIES root.ln.wf01.wt02.status WITH DATATYPE=BOOLEAN, ENCODING=PLAIN;
CREATE TIMESERIES root.ln.wf01.wt02.temperature WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TIMESERIES root.ln.wf01.wt02.hardware WITH DATATYPE=INT32, ENCODING=PLAIN;
INSERT INTO root.ln.wf01.wt02(timestamp, temperature, status, hardware) VALUES
  (1, 35.7, false, 11), (2, 35.8, true, 22), (3, 35.4, false, 33), (4, 36.4, false, 44), (5, 36.8, false, 55), (10, 36.8, false, 110),
  (20, 37.8, true, 220), (30, 37.5, false, 330), (40, 37.4, false, 440), (50, 37.9, false, 550), (100, 38.0, false, 110), (150, 38.8, true, 220),
  (200, 38.6, false, 330), (250, 38.4, false, 440), (300, 38.3, false, 550), (400, null, null, null), (440, null, null, null), (480, null, null, null),
  (500, 38.2, false, 110), (510, 37.5, true, 220), (520, 37.4, false, 330), (530, 36.8, false, 440), (540, 37.4, false, 550), (580, 37.8, false, 110),
  (590, 37.9, true, 220), (600, 36.9, true, 330), (610, 38.2, true, 440), (620, 39.2, true, 550), (1500, 9.8, false, 666), (1550, 10.2, true, 888);
select count(status), avg(temperature), sum(hardware) from root.ln.wf01.wt01 group by variation(temperature, 1, 'ignoringNull'=true);
--> Time,count(root.ln.wf01.wt01.status),avg(root.ln.wf01.wt01.temperature),sum(root.ln.wf01.wt01.hardware)
--> 1,4,35.825,110.0
--> 5,5,37.26,1155.0
--> 50,9,38.12222222222222,2860.0
--> 530,3,37.33333333333333,1100.0
--> 590,3,37.666666666666664,990.0
--> 620,1,39.2,550.0
--> 1500,2,10.0,1554.0
select __endTime, count(status), avg(temperature), sum(hardware) from root.ln.wf01.wt01 group by variation(temperature, 1);
--> Time,__endTime,count(root.ln.wf01.wt01.status),avg(root.ln.wf01.wt01.temperature),sum(root.ln.wf01.wt01.hardware)
--> 1,4,4,35.825,110.0
--> 5,40,5,37.26,1155.0
--> 50,520,9,38.12222222222222,2860.0
--> 530,580,3,37.33333333333333,1100.0
--> 590,610,3,37.666666666666664,990.0
--> 620,620,1,39.2,550.0
--> 1500,1550,2,10.0,1554.0
select count(status), avg(temperature), sum(hardware) from root.ln.wf01.wt01 group by variation(status);
--> Time,count(root.ln.wf01.wt01.status),avg(root.ln.wf01.wt01.temperature),sum(root.ln.wf01.wt01.hardware)
--> 1,1,35.7,11.0
--> 2,1,35.8,22.0
--> 3,4,36.349999999999994,242.0
--> 20,1,37.8,220.0
--> 30,4,37.7,1430.0
--> 150,1,38.8,220.0
--> 200,4,38.375,1430.0
--> 510,1,37.5,220.0
--> 520,4,37.349999999999994,1430.0
--> 590,4,38.05,1540.0
--> 1500,1,9.8,666.0
--> 1550,1,10.2,888.0
select __endTime, count(status), avg(temperature), sum(hardware) from root.ln.wf01.wt01 group by variation(status);
--> Time,__endTime,count(root.ln.wf01.wt01.status),avg(root.ln.wf01.wt01.temperature),sum(root.ln.wf01.wt01.hardware)
--> 1,1,1,35.7,11.0
--> 2,2,1,35.8,22.0
--> 3,10,4,36.349999999999994,242.0
--> 20,20,1,37.8,220.0
--> 30,100,4,37.7,1430.0
--> 150,150,1,38.8,220.0
--> 200,500,4,38.375,1430.0
--> 510,510,1,37.5,220.0
--> 520,580,4,37.349999999999994,1430.0
--> 590,620,4,38.05,1540.0
--> 1500,1500,1,9.8,666.0
--> 1550,1550,1,10.2,888.0
select __endTime, count(status), avg(temperature), sum(hardware) from root.ln.wf01.** group by variation(temperature, 1) align by device;
--> Time,Device,__endTime,count(status),avg(temperature),sum(hardware)
--> 1,root.ln.wf01.wt01,4,4,35.825,110.0
--> 5,root.ln.wf01.wt01,40,5,37.26,1155.0
--> 50,root.ln.wf01.wt01,520,9,38.12222222222222,2860.0
--> 530,root.ln.wf01.wt01,580,3,37.33333333333333,1100.0
--> 590,root.ln.wf01.wt01,610,3,37.666666666666664,990.0
--> 620,root.ln.wf01.wt01,620,1,39.2,550.0
--> 1500,root.ln.wf01.wt01,1550,2,10.0,1554.0
--> 1,root.ln.wf01.wt02,4,4,35.825,110.0
--> 5,root.ln.wf01.wt02,40,5,37.26,1155.0
--> 50,root.ln.wf01.wt02,520,9,38.12222222222222,2860.0
--> 530,root.ln.wf01.wt02,580,3,37.33333333333333,1100.0
--> 590,root.ln.wf01.wt02,610,3,37.666666666666664,990.0
--> 620,root.ln.wf01.wt02,620,1,39.2,550.0
--> 1500,root.ln.wf01.wt02,1550,2,10.0,1554.0
select count(status), avg(temperature), sum(hardware) from root.ln.wf01.wt01 group by variation(temperature, 1) having count(status) > 3;
--> Time,count(root.ln.wf01.wt01.status),avg(root.ln.wf01.wt01.temperature),sum(root.ln.wf01.wt01.hardware)
--> 1,4,35.825,110.0
--> 5,5,37.26,1155.0
--> 50,9,38.12222222222222,2860.0

CREATE TIMESERIES root.ln.wf02.wt02.status WITH DATATYPE=BOOLEAN, ENCODING=PLAIN;
CREATE TIMESERIES root.ln.wf02.wt02.temperature WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TIMESERIES root.ln.wf02.wt02.hardware WITH DATATYPE=INT32, ENCODING=PLAIN;
INSERT INTO root.ln.wf02.wt02(timestamp, temperature, status, hardware) VALUES
  (1, 35.7, false, 11), (2, 35.8, true, 22), (3, 35.4, false, 33), (4, 36.4, false, 44), (5, 36.8, false, 55), (10, 36.8, false, 110),
  (20, 37.8, true, 220), (30, 37.5, false, 330), (40, 37.4, false, 440), (50, 37.9, false, 550), (100, 38.0, false, 110), (150, 38.8, true, 220),
  (200, 38.6, false, 330), (250, 38.4, false, 440), (300, 38.3, false, 550), (400, null, null, 0), (440, null, null, 0), (480, null, null, 0),
  (500, 38.2, false, 110), (510, 37.5, true, 220), (520, 37.4, false, 330), (530, 36.8, false, 440), (540, 37.4, false, 550), (580, 37.8, false, 110),
  (590, 37.9, true, 220), (600, 36.9, true, 330), (610, 38.2, true, 440), (620, 39.2, true, 550), (1500, 9.8, false, 666), (1550, 10.2, true, 888),
  (3550, 10.8, true, 999), (5550, 10.6, false, 1888), (7550, 10.2, true, 2888);
select count(status), avg(temperature), sum(hardware) from root.ln.wf02.wt02 group by session(99ms);
--> Time,count(root.ln.wf02.wt02.status),avg(root.ln.wf02.wt02.temperature),sum(root.ln.wf02.wt02.hardware)
--> 1,15,37.306666666666665,3465.0
--> 400,10,37.72999999999999,3300.0
--> 1500,2,10.0,1554.0
--> 3550,1,10.8,999.0
--> 5550,1,10.6,1888.0
--> 7550,1,10.2,2888.0
select count(status), avg(temperature), sum(hardware) from root.ln.wf02.wt02 group by session(99ms) having avg(temperature) > 30;
--> Time,count(root.ln.wf02.wt02.status),avg(root.ln.wf02.wt02.temperature),sum(root.ln.wf02.wt02.hardware)
--> 1,15,37.306666666666665,3465.0
--> 400,10,37.72999999999999,3300.0
select count(temperature) from root.ln.wf02.wt02 group by session(10ms);
--> Time,count(root.ln.wf02.wt02.temperature)
--> 1,10
--> 100,1
--> 150,1
--> 200,1
--> 250,1
--> 300,1
--> 500,5
--> 580,5
--> 1500,1
--> 1550,1
--> 3550,1
--> 5550,1
--> 7550,1
select count(status), avg(temperature), sum(hardware) from root.ln.wf02.wt02 group by session(49ms);
--> Time,count(root.ln.wf02.wt02.status),avg(root.ln.wf02.wt02.temperature),sum(root.ln.wf02.wt02.hardware)
--> 1,10,36.75,1815.0
--> 100,1,38.0,110.0
--> 150,1,38.8,220.0
--> 200,1,38.6,330.0
--> 250,1,38.4,440.0
--> 300,1,38.3,550.0
--> 400,10,37.72999999999999,3300.0
--> 1500,1,9.8,666.0
--> 1550,1,10.2,888.0
--> 3550,1,10.8,999.0
--> 5550,1,10.6,1888.0
--> 7550,1,10.2,2888.0
select first_value(temperature) from root.ln.wf02.wt02 group by session(10ms);
--> Time,first_value(root.ln.wf02.wt02.temperature)
--> 1,35.7
--> 100,38.0
--> 150,38.8
--> 200,38.6
--> 250,38.4
--> 300,38.3
--> 500,38.2
--> 580,37.8
--> 1500,9.8
--> 1550,10.2
--> 3550,10.8
--> 5550,10.6
--> 7550,10.2
select count(status), avg(temperature), sum(hardware) from root.ln.wf02.wt02 group by session(1s);
--> Time,count(root.ln.wf02.wt02.status),avg(root.ln.wf02.wt02.temperature),sum(root.ln.wf02.wt02.hardware)
--> 1,27,35.44074074074074,8319.0
--> 3550,1,10.8,999.0
--> 5550,1,10.6,1888.0
--> 7550,1,10.2,2888.0
select count(status), avg(temperature), sum(hardware) from root.ln.wf02.wt02 group by session(1s) order by time desc;
--> Time,count(root.ln.wf02.wt02.status),avg(root.ln.wf02.wt02.temperature),sum(root.ln.wf02.wt02.hardware)
--> 7550,1,10.2,2888.0
--> 5550,1,10.6,1888.0
--> 3550,1,10.8,999.0
--> 1,27,35.44074074074074,8319.0
