-- Windows of functions: IoTDB's UDFWindowQueryIT with a point each 100 ms in place of each, as far as the page's classes and M4 show them.
-- Windows by session and by state have no function of the pages: they are tested in Go.

CREATE FUNCTION counter AS 'Counter';
CREATE FUNCTION adder AS 'org.apache.iotdb.udf.Adder';
CREATE FUNCTION example AS 'org.apache.iotdb.udf.UDTFExample';
CREATE TIMESERIES root.vehicle.d1.s1 WITH DATATYPE=INT32;
CREATE TIMESERIES root.vehicle.d1.s2 WITH DATATYPE=INT32;
insert into root.vehicle.d1(time, s1, s2) values
  (0, 0, 0), (100, 1, 1), (200, 2, 2), (300, 3, 3), (400, 4, 4), (500, 5, 5), (600, 6, 6), (700, 7, 7), (800, 8, 8), (900, 9, 9),
  (1000, 10, 10), (1100, 11, 11), (1200, 12, 12), (1300, 13, 13), (1400, 14, 14), (1500, 15, 15), (1600, 16, 16), (1700, 17, 17), (1800, 18, 18), (1900, 19, 19),
  (2000, 20, 20), (2100, 21, 21), (2200, 22, 22), (2300, 23, 23), (2400, 24, 24), (2500, 25, 25), (2600, 26, 26), (2700, 27, 27), (2800, 28, 28), (2900, 29, 29),
  (3000, 30, 30), (3100, 31, 31), (3200, 32, 32), (3300, 33, 33), (3400, 34, 34), (3500, 35, 35), (3600, 36, 36), (3700, 37, 37), (3800, 38, 38), (3900, 39, 39),
  (4000, 40, 40), (4100, 41, 41), (4200, 42, 42), (4300, 43, 43), (4400, 44, 44), (4500, 45, 45), (4600, 46, 46), (4700, 47, 47), (4800, 48, 48), (4900, 49, 49),
  (5000, 50, 50), (5100, 51, 51), (5200, 52, 52), (5300, 53, 53), (5400, 54, 54), (5500, 55, 55), (5600, 56, 56), (5700, 57, 57), (5800, 58, 58), (5900, 59, 59),
  (6000, 60, 60), (6100, 61, 61), (6200, 62, 62), (6300, 63, 63), (6400, 64, 64), (6500, 65, 65), (6600, 66, 66), (6700, 67, 67), (6800, 68, 68), (6900, 69, 69),
  (7000, 70, 70), (7100, 71, 71), (7200, 72, 72), (7300, 73, 73), (7400, 74, 74), (7500, 75, 75), (7600, 76, 76), (7700, 77, 77), (7800, 78, 78), (7900, 79, 79),
  (8000, 80, 80), (8100, 81, 81), (8200, 82, 82), (8300, 83, 83), (8400, 84, 84), (8500, 85, 85), (8600, 86, 86), (8700, 87, 87), (8800, 88, 88), (8900, 89, 89),
  (9000, 90, 90), (9100, 91, 91), (9200, 92, 92), (9300, 93, 93), (9400, 94, 94), (9500, 95, 95), (9600, 96, 96), (9700, 97, 97), (9800, 98, 98), (9900, 99, 99);
-- Sliding time: a window each step from the begin, cut off by the end.
select counter(s1, 'time_interval'='3300', 'sliding_step'='3300', 'display_window_begin'='3300', 'display_window_end'='3300') from root.vehicle.d1;
--> Time,"counter(root.vehicle.d1.s1, ""time_interval""=""3300"", ""sliding_step""=""3300"", ""display_window_begin""=""3300"", ""display_window_end""=""3300"")"
select counter(s1, 'time_interval'='330', 'sliding_step'='660', 'display_window_begin'='5000', 'display_window_end'='10000') from root.vehicle.d1;
--> Time,"counter(root.vehicle.d1.s1, ""time_interval""=""330"", ""sliding_step""=""660"", ""display_window_begin""=""5000"", ""display_window_end""=""10000"")"
--> 5000,4
--> 5660,3
--> 6320,3
--> 6980,4
--> 7640,3
--> 8300,4
--> 8960,3
--> 9620,3
select counter(s1, 'time_interval'='660', 'sliding_step'='330', 'display_window_begin'='5000', 'display_window_end'='10000') from root.vehicle.d1;
--> Time,"counter(root.vehicle.d1.s1, ""time_interval""=""660"", ""sliding_step""=""330"", ""display_window_begin""=""5000"", ""display_window_end""=""10000"")"
--> 5000,7
--> 5330,6
--> 5660,7
--> 5990,7
--> 6320,6
--> 6650,7
--> 6980,7
--> 7310,6
--> 7640,6
--> 7970,7
--> 8300,7
--> 8630,6
--> 8960,7
--> 9290,7
--> 9620,3
select counter(s1, 'time_interval'='330', 'sliding_step'='330', 'display_window_begin'='5000', 'display_window_end'='10000') from root.vehicle.d1;
--> Time,"counter(root.vehicle.d1.s1, ""time_interval""=""330"", ""sliding_step""=""330"", ""display_window_begin""=""5000"", ""display_window_end""=""10000"")"
--> 5000,4
--> 5330,3
--> 5660,3
--> 5990,4
--> 6320,3
--> 6650,3
--> 6980,4
--> 7310,3
--> 7640,3
--> 7970,3
--> 8300,4
--> 8630,3
--> 8960,3
--> 9290,4
--> 9620,3
select counter(s1, 'time_interval'='10000', 'sliding_step'='10000', 'display_window_begin'='0', 'display_window_end'='10000') from root.vehicle.d1;
--> Time,"counter(root.vehicle.d1.s1, ""time_interval""=""10000"", ""sliding_step""=""10000"", ""display_window_begin""=""0"", ""display_window_end""=""10000"")"
--> 0,100
select counter(s1, 'time_interval'='10100', 'sliding_step'='1000', 'display_window_begin'='0', 'display_window_end'='5000') from root.vehicle.d1;
--> Time,"counter(root.vehicle.d1.s1, ""time_interval""=""10100"", ""sliding_step""=""1000"", ""display_window_begin""=""0"", ""display_window_end""=""5000"")"
--> 0,50
--> 1000,40
--> 2000,30
--> 3000,20
--> 4000,10
select counter(s1, 'time_interval'='100', 'sliding_step'='10100', 'display_window_begin'='0', 'display_window_end'='5000') from root.vehicle.d1;
--> Time,"counter(root.vehicle.d1.s1, ""time_interval""=""100"", ""sliding_step""=""10100"", ""display_window_begin""=""0"", ""display_window_end""=""5000"")"
--> 0,1
select counter(s1, 'time_interval'='10100', 'sliding_step'='10100', 'display_window_begin'='0', 'display_window_end'='5000') from root.vehicle.d1;
--> Time,"counter(root.vehicle.d1.s1, ""time_interval""=""10100"", ""sliding_step""=""10100"", ""display_window_begin""=""0"", ""display_window_end""=""5000"")"
--> 0,50
select counter(s1, 'time_interval'='100', 'sliding_step'='500', 'display_window_begin'='5000', 'display_window_end'='0') from root.vehicle.d1;
--! displayWindowEnd
select counter(s1, 'time_interval'='-100', 'sliding_step'='500', 'display_window_begin'='0', 'display_window_end'='5000') from root.vehicle.d1;
--! should be positive
select counter(s1, 'time_interval'='100', 'sliding_step'='-500', 'display_window_begin'='0', 'display_window_end'='5000') from root.vehicle.d1;
--! should be positive
select counter(s1, 'time_interval'='100', 'sliding_step'='0', 'display_window_begin'='0', 'display_window_end'='5000') from root.vehicle.d1;
--! slidingStep(0) should be positive
select counter(s1, 'time_interval'='0', 'sliding_step'='500', 'display_window_begin'='0', 'display_window_end'='5000') from root.vehicle.d1;
--! should be positive
-- An empty window in the middle gives nothing here; the next begins where it would.
insert into root.empty.d(time, s) values (1, 2), (2, 3), (7, 8);
select counter(s, 'time_interval'='3', 'sliding_step'='3', 'display_window_begin'='1', 'display_window_end'='100') from root.empty.d;
--> Time,"counter(root.empty.d.s, ""time_interval""=""3"", ""sliding_step""=""3"", ""display_window_begin""=""1"", ""display_window_end""=""100"")"
--> 1,2
--> 7,1
-- Only an interval: the first window begins with the first row.
select m4(s, 'timeInterval'='3') from root.empty.d;
--> Time,"m4(root.empty.d.s, ""timeInterval""=""3"")"
--> 1,2.0
--> 2,3.0
--> 7,8.0
select m4(s, 'timeInterval'='2') from root.empty.d;
--> Time,"m4(root.empty.d.s, ""timeInterval""=""2"")"
--> 1,2.0
--> 2,3.0
--> 7,8.0
select m4(s, 'timeInterval'='7') from root.empty.d;
--> Time,"m4(root.empty.d.s, ""timeInterval""=""7"")"
--> 1,2.0
--> 7,8.0
select m4(s, 'timeInterval'='-10000') from root.empty.d;
--! should be positive
select m4(s, 'timeInterval'='0') from root.empty.d;
--! should be positive
-- Sliding size: the last window may be shorter. Of values that rise M4 keeps the first and the last of each.
select m4(s1, 'windowSize'='10') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""10"")"
--> 0,0
--> 900,9
--> 1000,10
--> 1900,19
--> 2000,20
--> 2900,29
--> 3000,30
--> 3900,39
--> 4000,40
--> 4900,49
--> 5000,50
--> 5900,59
--> 6000,60
--> 6900,69
--> 7000,70
--> 7900,79
--> 8000,80
--> 8900,89
--> 9000,90
--> 9900,99
select m4(s1, 'windowSize'='33') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""33"")"
--> 0,0
--> 3200,32
--> 3300,33
--> 6500,65
--> 6600,66
--> 9800,98
--> 9900,99
select m4(s1, 'windowSize'='66') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""66"")"
--> 0,0
--> 6500,65
--> 6600,66
--> 9900,99
select m4(s1, 'windowSize'='150') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""150"")"
--> 0,0
--> 9900,99
select m4(s1, 'windowSize'='100') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""100"")"
--> 0,0
--> 9900,99
select m4(s1, 'windowSize'='300') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""300"")"
--> 0,0
--> 9900,99
select m4(s1, 'windowSize'='0') from root.vehicle.d1;
--! should be positive
select m4(s1, 'windowSize'='-10000') from root.vehicle.d1;
--! should be positive
-- A step that is longer than the window leaves rows out.
select m4(s1, 'windowSize'='20', 'slidingStep'='20') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""20"", ""slidingStep""=""20"")"
--> 0,0
--> 1900,19
--> 2000,20
--> 3900,39
--> 4000,40
--> 5900,59
--> 6000,60
--> 7900,79
--> 8000,80
--> 9900,99
select m4(s1, 'windowSize'='11', 'slidingStep'='23') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""11"", ""slidingStep""=""23"")"
--> 0,0
--> 1000,10
--> 2300,23
--> 3300,33
--> 4600,46
--> 5600,56
--> 6900,69
--> 7900,79
--> 9200,92
--> 9900,99
select m4(s1, 'windowSize'='10', 'slidingStep'='100') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""10"", ""slidingStep""=""100"")"
--> 0,0
--> 900,9
select m4(s1, 'windowSize'='100', 'slidingStep'='150') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""100"", ""slidingStep""=""150"")"
--> 0,0
--> 9900,99
select m4(s1, 'windowSize'='150', 'slidingStep'='150') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""150"", ""slidingStep""=""150"")"
--> 0,0
--> 9900,99
select m4(s1, 'windowSize'='30', 'slidingStep'='70') from root.vehicle.d1;
--> Time,"m4(root.vehicle.d1.s1, ""windowSize""=""30"", ""slidingStep""=""70"")"
--> 0,0
--> 2900,29
--> 7000,70
--> 9900,99
-- Constants, and expressions of them, as inputs: a row wherever the series has one.
select example(s1, 1), example(s1, (1 + 4) * 2 / 10), example(s1 + 1, 0), adder(s1, 1) from root.vehicle.d1 where time < 300;
--> Time,"example(root.vehicle.d1.s1, 1)","example(root.vehicle.d1.s1, (1 + 4) * 2 / 10)","example(root.vehicle.d1.s1 + 1, 0)","adder(root.vehicle.d1.s1, 1)"
--> 0,1.0,1.0,1.0,1
--> 100,2.0,2.0,2.0,2
--> 200,3.0,3.0,3.0,3
select counter(s1 + 1, 'time_interval'='1000', 'sliding_step'='1000', 'display_window_begin'='0', 'display_window_end'='3000') from root.vehicle.d1;
--> Time,"counter(root.vehicle.d1.s1 + 1, ""time_interval""=""1000"", ""sliding_step""=""1000"", ""display_window_begin""=""0"", ""display_window_end""=""3000"")"
--> 0,10
--> 1000,10
--> 2000,10
select counter(s1, 1, 'time_interval'='1000', 'sliding_step'='1000', 'display_window_begin'='0', 'display_window_end'='3000') from root.vehicle.d1;
--> Time,"counter(root.vehicle.d1.s1, 1, ""time_interval""=""1000"", ""sliding_step""=""1000"", ""display_window_begin""=""0"", ""display_window_end""=""3000"")"
--> 0,10
--> 1000,10
--> 2000,10
-- Rows in which some inputs are null, and functions of two wildcards.
CREATE TIMESERIES root.nulls.d1.s1 WITH DATATYPE=INT32;
CREATE TIMESERIES root.nulls.d1.s2 WITH DATATYPE=INT32;
CREATE TIMESERIES root.nulls.d2.s1 WITH DATATYPE=INT32;
CREATE TIMESERIES root.nulls.d2.s2 WITH DATATYPE=INT32;
insert into root.nulls.d1(time, s1) values (0, 0);
insert into root.nulls.d1(time, s1, s2) values (1, 1, 1);
insert into root.nulls.d1(time, s1, s2) values (2, 2, 2);
insert into root.nulls.d1(time, s2) values (3, 3);
insert into root.nulls.d1(time, s1, s2) values (4, 4, 4);
insert into root.nulls.d1(time, s1, s2) values (5, 5, 5);
insert into root.nulls.d2(time, s1, s2) values (0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4), (5, 5, 5);
select adder(d1.s2, d1.s1), d2.s1, adder(d1.s2, d2.s1) from root.nulls;
--> Time,"adder(root.nulls.d1.s2, root.nulls.d1.s1)",root.nulls.d2.s1,"adder(root.nulls.d1.s2, root.nulls.d2.s1)"
--> 0,,0,
--> 1,2,1,2
--> 2,4,2,4
--> 3,,3,6
--> 4,8,4,8
--> 5,10,5,10
select adder(*, *) from root.nulls.d1;
--> Time,"adder(root.nulls.d1.s1, root.nulls.d1.s1)","adder(root.nulls.d1.s1, root.nulls.d1.s2)","adder(root.nulls.d1.s2, root.nulls.d1.s1)","adder(root.nulls.d1.s2, root.nulls.d1.s2)"
--> 0,0,,,
--> 1,2,2,2,2
--> 2,4,4,4,4
--> 3,,,,6
--> 4,8,8,8,8
--> 5,10,10,10,10
select adder(s1, s2) from root.nulls.d1, root.nulls.d2 where time < 2;
--> Time,"adder(root.nulls.d1.s1, root.nulls.d1.s2)","adder(root.nulls.d1.s1, root.nulls.d2.s2)","adder(root.nulls.d2.s1, root.nulls.d1.s2)","adder(root.nulls.d2.s1, root.nulls.d2.s2)"
--> 0,,0,,0
--> 1,2,2,2,2
select adder(s9, s1), adder(s1, s2) from root.nulls.d2 where time < 2;
--> Time,"adder(root.nulls.d2.s1, root.nulls.d2.s2)"
--> 0,0
--> 1,2
-- The keys and values of attributes are in quotes.
select counter(s1, time_interval=10) from root.vehicle.d1;
--! attributes of functions should be quoted with '' or ""
select counter(s1, 'time_interval'=10) from root.vehicle.d1;
--! attributes of functions should be quoted
