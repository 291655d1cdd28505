-- The continuous queries of the IoTDB 1.2 page, as printed, one after the other.
--@ zone Asia/Shanghai

\clock 2021-05-11T22:18:00+08:00
CREATE TIMESERIES root.ln.wf02.wt02.temperature WITH DATATYPE=FLOAT, ENCODING=RLE;
CREATE TIMESERIES root.ln.wf02.wt01.temperature WITH DATATYPE=FLOAT, ENCODING=RLE;
CREATE TIMESERIES root.ln.wf01.wt02.temperature WITH DATATYPE=FLOAT, ENCODING=RLE;
CREATE TIMESERIES root.ln.wf01.wt01.temperature WITH DATATYPE=FLOAT, ENCODING=RLE;
INSERT INTO root.ln.wf02.wt02(time, temperature) VALUES
  (2021-05-11T22:18:14.598+08:00, 121.0), (2021-05-11T22:18:19.941+08:00, 0.0), (2021-05-11T22:18:24.949+08:00, 122.0),
  (2021-05-11T22:18:29.967+08:00, 47.0), (2021-05-11T22:18:34.979+08:00, 182.0), (2021-05-11T22:18:39.990+08:00, 42.0),
  (2021-05-11T22:18:44.995+08:00, 78.0), (2021-05-11T22:18:49.999+08:00, 137.0), (2021-05-11T22:18:55.003+08:00, 16.0);
INSERT INTO root.ln.wf02.wt01(time, temperature) VALUES
  (2021-05-11T22:18:14.598+08:00, 72.0), (2021-05-11T22:18:19.941+08:00, 68.0), (2021-05-11T22:18:24.949+08:00, 45.0),
  (2021-05-11T22:18:29.967+08:00, 14.0), (2021-05-11T22:18:34.979+08:00, 113.0), (2021-05-11T22:18:39.990+08:00, 11.0),
  (2021-05-11T22:18:44.995+08:00, 38.0), (2021-05-11T22:18:49.999+08:00, 172.0), (2021-05-11T22:18:55.003+08:00, 124.0);
INSERT INTO root.ln.wf01.wt02(time, temperature) VALUES
  (2021-05-11T22:18:14.598+08:00, 183.0), (2021-05-11T22:18:19.941+08:00, 68.0), (2021-05-11T22:18:24.949+08:00, 11.0),
  (2021-05-11T22:18:29.967+08:00, 59.0), (2021-05-11T22:18:34.979+08:00, 29.0), (2021-05-11T22:18:39.990+08:00, 52.0),
  (2021-05-11T22:18:44.995+08:00, 123.0), (2021-05-11T22:18:49.999+08:00, 135.0), (2021-05-11T22:18:55.003+08:00, 183.0);
INSERT INTO root.ln.wf01.wt01(time, temperature) VALUES
  (2021-05-11T22:18:14.598+08:00, 115.0), (2021-05-11T22:18:19.941+08:00, 103.0), (2021-05-11T22:18:24.949+08:00, 14.0),
  (2021-05-11T22:18:29.967+08:00, 181.0), (2021-05-11T22:18:34.979+08:00, 180.0), (2021-05-11T22:18:39.990+08:00, 19.0),
  (2021-05-11T22:18:44.995+08:00, 52.0), (2021-05-11T22:18:49.999+08:00, 193.0), (2021-05-11T22:18:55.003+08:00, 18.0);
SELECT temperature FROM root.ln.*.*;
--> Time,root.ln.wf02.wt02.temperature,root.ln.wf02.wt01.temperature,root.ln.wf01.wt02.temperature,root.ln.wf01.wt01.temperature
--> 1620742694598,121.0,72.0,183.0,115.0
--> 1620742699941,0.0,68.0,68.0,103.0
--> 1620742704949,122.0,45.0,11.0,14.0
--> 1620742709967,47.0,14.0,59.0,181.0
--> 1620742714979,182.0,113.0,29.0,180.0
--> 1620742719990,42.0,11.0,52.0,19.0
--> 1620742724995,78.0,38.0,123.0,52.0
--> 1620742729999,137.0,172.0,135.0,193.0
--> 1620742735003,16.0,124.0,183.0,18.0

\clock 2021-05-11T22:18:25+08:00
CREATE CONTINUOUS QUERY cq1
RESAMPLE EVERY 20s
BEGIN
SELECT max_value(temperature)
INTO root.ln.wf02.wt02(temperature_max), root.ln.wf02.wt01(temperature_max), root.ln.wf01.wt02(temperature_max), root.ln.wf01.wt01(temperature_max)
FROM root.ln.*.*
GROUP BY(10s)
END;
\advance 35s
SELECT temperature_max from root.ln.*.*;
--> Time,root.ln.wf02.wt02.temperature_max,root.ln.wf02.wt01.temperature_max,root.ln.wf01.wt02.temperature_max,root.ln.wf01.wt01.temperature_max
--> 1620742700000,122.0,45.0,59.0,181.0
--> 1620742710000,182.0,113.0,52.0,180.0
--> 1620742720000,137.0,172.0,135.0,193.0
--> 1620742730000,16.0,124.0,183.0,18.0
DROP CONTINUOUS QUERY cq1;
DELETE TIMESERIES root.ln.*.*.temperature_max;

\clock 2021-05-11T22:18:35+08:00
CREATE CONTINUOUS QUERY cq2
RESAMPLE RANGE 40s
BEGIN
SELECT max_value(temperature)
INTO root.ln.wf02.wt02(temperature_max), root.ln.wf02.wt01(temperature_max), root.ln.wf01.wt02(temperature_max), root.ln.wf01.wt01(temperature_max)
FROM root.ln.*.*
GROUP BY(10s)
END;
\advance 25s
SELECT temperature_max from root.ln.*.*;
--> Time,root.ln.wf02.wt02.temperature_max,root.ln.wf02.wt01.temperature_max,root.ln.wf01.wt02.temperature_max,root.ln.wf01.wt01.temperature_max
--> 1620742690000,121.0,72.0,183.0,115.0
--> 1620742700000,122.0,45.0,59.0,181.0
--> 1620742710000,182.0,113.0,52.0,180.0
--> 1620742720000,137.0,172.0,135.0,193.0
--> 1620742730000,16.0,124.0,183.0,18.0
DROP CONTINUOUS QUERY cq2;
DELETE TIMESERIES root.ln.*.*.temperature_max;

\clock 2021-05-11T22:18:25+08:00
CREATE CONTINUOUS QUERY cq3
RESAMPLE EVERY 20s RANGE 40s
BEGIN
SELECT max_value(temperature)
INTO root.ln.wf02.wt02(temperature_max), root.ln.wf02.wt01(temperature_max), root.ln.wf01.wt02(temperature_max), root.ln.wf01.wt01(temperature_max)
FROM root.ln.*.*
GROUP BY(10s)
FILL(100.0)
END;
\advance 35s
SELECT temperature_max from root.ln.*.*;
--> Time,root.ln.wf02.wt02.temperature_max,root.ln.wf02.wt01.temperature_max,root.ln.wf01.wt02.temperature_max,root.ln.wf01.wt01.temperature_max
--> 1620742680000,100.0,100.0,100.0,100.0
--> 1620742690000,121.0,72.0,183.0,115.0
--> 1620742700000,122.0,45.0,59.0,181.0
--> 1620742710000,182.0,113.0,52.0,180.0
--> 1620742720000,137.0,172.0,135.0,193.0
--> 1620742730000,16.0,124.0,183.0,18.0
DROP CONTINUOUS QUERY cq3;
DELETE TIMESERIES root.ln.*.*.temperature_max;

\clock 2021-05-11T22:18:25+08:00
CREATE CONTINUOUS QUERY cq4
RESAMPLE EVERY 20s RANGE 40s, 20s
BEGIN
SELECT max_value(temperature)
INTO root.ln.wf02.wt02(temperature_max), root.ln.wf02.wt01(temperature_max), root.ln.wf01.wt02(temperature_max), root.ln.wf01.wt01(temperature_max)
FROM root.ln.*.*
GROUP BY(10s)
FILL(100.0)
END;
\advance 35s
SELECT temperature_max from root.ln.*.*;
--> Time,root.ln.wf02.wt02.temperature_max,root.ln.wf02.wt01.temperature_max,root.ln.wf01.wt02.temperature_max,root.ln.wf01.wt01.temperature_max
--> 1620742680000,100.0,100.0,100.0,100.0
--> 1620742690000,121.0,72.0,183.0,115.0
--> 1620742700000,122.0,45.0,59.0,181.0
--> 1620742710000,182.0,113.0,52.0,180.0
DROP CONTINUOUS QUERY cq4;
DELETE TIMESERIES root.ln.*.*.temperature_max;

\clock 2021-05-11T22:18:25+08:00
CREATE CONTINUOUS QUERY cq5
RESAMPLE EVERY 20s
BEGIN
SELECT temperature + 1
INTO root.precalculated_sg.::(temperature)
FROM root.ln.*.*
align by device
END;
\advance 35s
SELECT temperature from root.precalculated_sg.*.* align by device;
--> Time,Device,temperature
--> 1620742704949,root.precalculated_sg.wf01.wt01,15.0
--> 1620742709967,root.precalculated_sg.wf01.wt01,182.0
--> 1620742714979,root.precalculated_sg.wf01.wt01,181.0
--> 1620742719990,root.precalculated_sg.wf01.wt01,20.0
--> 1620742724995,root.precalculated_sg.wf01.wt01,53.0
--> 1620742729999,root.precalculated_sg.wf01.wt01,194.0
--> 1620742735003,root.precalculated_sg.wf01.wt01,19.0
--> 1620742704949,root.precalculated_sg.wf01.wt02,12.0
--> 1620742709967,root.precalculated_sg.wf01.wt02,60.0
--> 1620742714979,root.precalculated_sg.wf01.wt02,30.0
--> 1620742719990,root.precalculated_sg.wf01.wt02,53.0
--> 1620742724995,root.precalculated_sg.wf01.wt02,124.0
--> 1620742729999,root.precalculated_sg.wf01.wt02,136.0
--> 1620742735003,root.precalculated_sg.wf01.wt02,184.0
--> 1620742704949,root.precalculated_sg.wf02.wt01,46.0
--> 1620742709967,root.precalculated_sg.wf02.wt01,15.0
--> 1620742714979,root.precalculated_sg.wf02.wt01,114.0
--> 1620742719990,root.precalculated_sg.wf02.wt01,12.0
--> 1620742724995,root.precalculated_sg.wf02.wt01,39.0
--> 1620742729999,root.precalculated_sg.wf02.wt01,173.0
--> 1620742735003,root.precalculated_sg.wf02.wt01,125.0
--> 1620742704949,root.precalculated_sg.wf02.wt02,123.0
--> 1620742709967,root.precalculated_sg.wf02.wt02,48.0
--> 1620742714979,root.precalculated_sg.wf02.wt02,183.0
--> 1620742719990,root.precalculated_sg.wf02.wt02,43.0
--> 1620742724995,root.precalculated_sg.wf02.wt02,79.0
--> 1620742729999,root.precalculated_sg.wf02.wt02,138.0
--> 1620742735003,root.precalculated_sg.wf02.wt02,17.0
SHOW CONTINUOUS QUERIES;
--> CQId,Query,State
--> cq5,"CREATE CONTINUOUS QUERY cq5
--> RESAMPLE EVERY 20s
--> BEGIN
--> SELECT temperature + 1
--> INTO root.precalculated_sg.::(temperature)
--> FROM root.ln.*.*
--> align by device
--> END",ACTIVE
