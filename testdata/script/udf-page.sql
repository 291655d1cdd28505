-- The IoTDB 1.2 page on user-defined functions: its statements as printed. UDTFExample is the sum of its inputs.

CREATE FUNCTION example AS 'org.apache.iotdb.udf.UDTFExample';
DROP FUNCTION example;
CREATE FUNCTION example AS 'org.apache.iotdb.udf.UDTFExample' USING URI 'http://jar/example.jar';
INSERT INTO root.sg.d1(time, s1, s2) VALUES (1, 1.0, 10.0), (2, 2.0, null), (3, 3.0, 30.0);

SELECT example(*) from root.sg.d1;
--> Time,example(root.sg.d1.s1),example(root.sg.d1.s2)
--> 1,1.0,10.0
--> 2,2.0,
--> 3,3.0,30.0
SELECT example(s1, *) from root.sg.d1;
--> Time,"example(root.sg.d1.s1, root.sg.d1.s1)","example(root.sg.d1.s1, root.sg.d1.s2)"
--> 1,2.0,11.0
--> 2,4.0,2.0
--> 3,6.0,33.0
SELECT example(*, *) from root.sg.d1;
--> Time,"example(root.sg.d1.s1, root.sg.d1.s1)","example(root.sg.d1.s1, root.sg.d1.s2)","example(root.sg.d1.s2, root.sg.d1.s1)","example(root.sg.d1.s2, root.sg.d1.s2)"
--> 1,2.0,11.0,11.0,20.0
--> 2,4.0,2.0,2.0,
--> 3,6.0,33.0,33.0,60.0
SELECT example(s1, 'key1'='value1', 'key2'='value2'), example(*, 'key3'='value3') FROM root.sg.d1;
--> Time,"example(root.sg.d1.s1, ""key1""=""value1"", ""key2""=""value2"")","example(root.sg.d1.s1, ""key3""=""value3"")","example(root.sg.d1.s2, ""key3""=""value3"")"
--> 1,1.0,1.0,10.0
--> 2,2.0,2.0,
--> 3,3.0,3.0,30.0
SELECT example(s1, s2, 'key1'='value1', 'key2'='value2') FROM root.sg.d1;
--> Time,"example(root.sg.d1.s1, root.sg.d1.s2, ""key1""=""value1"", ""key2""=""value2"")"
--> 1,11.0
--> 2,2.0
--> 3,33.0
SELECT s1, s2, example(s1, s2) FROM root.sg.d1;
--> Time,root.sg.d1.s1,root.sg.d1.s2,"example(root.sg.d1.s1, root.sg.d1.s2)"
--> 1,1.0,10.0,11.0
--> 2,2.0,,2.0
--> 3,3.0,30.0,33.0
SELECT *, example(*) FROM root.sg.d1 DISABLE ALIGN;
--> Time,root.sg.d1.s1,Time,root.sg.d1.s2,Time,example(root.sg.d1.s1),Time,example(root.sg.d1.s2)
--> 1,1.0,1,10.0,1,1.0,1,10.0
--> 2,2.0,3,30.0,2,2.0,3,30.0
--> 3,3.0,,,3,3.0,,
SELECT s1 * example(* / s1 + s2) FROM root.sg.d1;
--> Time,root.sg.d1.s1 * example(root.sg.d1.s1 / root.sg.d1.s1 + root.sg.d1.s2),root.sg.d1.s1 * example(root.sg.d1.s2 / root.sg.d1.s1 + root.sg.d1.s2)
--> 1,11.0,20.0
--> 3,93.0,120.0
SELECT s1, s2, s1 + example(s1, s2), s1 - example(s1 + example(s1, s2) / s2) FROM root.sg.d1;
--> Time,root.sg.d1.s1,root.sg.d1.s2,"root.sg.d1.s1 + example(root.sg.d1.s1, root.sg.d1.s2)","root.sg.d1.s1 - example(root.sg.d1.s1 + example(root.sg.d1.s1, root.sg.d1.s2) / root.sg.d1.s2)"
--> 1,1.0,10.0,12.0,-1.1
--> 2,2.0,,4.0,
--> 3,3.0,30.0,36.0,-1.0999999999999996

-- The clauses the page names: SLIMIT / SOFFSET, LIMIT / OFFSET, filters by value and by time.
SELECT example(*, *) FROM root.sg.d1 SLIMIT 2 SOFFSET 1;
--> Time,"example(root.sg.d1.s1, root.sg.d1.s2)","example(root.sg.d1.s2, root.sg.d1.s1)"
--> 1,11.0,11.0
--> 2,2.0,2.0
--> 3,33.0,33.0
SELECT example(s1, s2) FROM root.sg.d1 LIMIT 1 OFFSET 1;
--> Time,"example(root.sg.d1.s1, root.sg.d1.s2)"
--> 2,2.0
SELECT example(s1, s2) FROM root.sg.d1 WHERE s1 > 1.5;
--> Time,"example(root.sg.d1.s1, root.sg.d1.s2)"
--> 2,2.0
--> 3,33.0
SELECT example(s1, s2) FROM root.sg.d1 WHERE time > 1 and time <= 2;
--> Time,"example(root.sg.d1.s1, root.sg.d1.s2)"
--> 2,2.0

-- Adder, Counter and Max of the page.
CREATE FUNCTION adder AS 'org.apache.iotdb.udf.Adder';
CREATE FUNCTION counter AS "Counter";
CREATE FUNCTION max AS 'Max';
CREATE TIMESERIES root.sg.d2.a WITH DATATYPE=INT32;
CREATE TIMESERIES root.sg.d2.b WITH DATATYPE=INT64;
INSERT INTO root.sg.d2(time, a, b) VALUES (1, 5, 10), (2, 9, null), (3, 9, 30), (8, 2, 40);
SELECT adder(a, b) FROM root.sg.d2;
--> Time,"adder(root.sg.d2.a, root.sg.d2.b)"
--> 1,15
--> 3,39
--> 8,42
SELECT counter(a, 'time_interval'='3', 'sliding_step'='3', 'display_window_begin'='0', 'display_window_end'='10') FROM root.sg.d2;
--> Time,"counter(root.sg.d2.a, ""time_interval""=""3"", ""sliding_step""=""3"", ""display_window_begin""=""0"", ""display_window_end""=""10"")"
--> 0,2
--> 3,1
--> 6,1
SELECT max(a) FROM root.sg.d2;
--> Time,max(root.sg.d2.a)
--> 2,9
SELECT MAX(a) FROM root.sg.d2 WHERE time < 2;
--> Time,MAX(root.sg.d2.a)
--> 1,5
SELECT max(b) FROM root.sg.d2;
--! expected: INT32. actual: INT64

-- Names: not case-sensitive; those of built-in functions are taken.
CREATE FUNCTION EXAMPLE AS 'org.apache.iotdb.udf.UDTFExample';
--! the same name UDF has been created
CREATE FUNCTION abs AS 'org.apache.iotdb.udf.UDTFExample';
--! the given function name conflicts with the built-in function name
CREATE FUNCTION aVg AS 'org.apache.iotdb.udf.UDTFExample';
--! the given function name conflicts with the built-in function name
CREATE FUNCTION f AS 'org.apache.iotdb.udf.Missing';
--! class "org.apache.iotdb.udf.Missing" is not registered
CREATE FUNCTION f AS 'org.apache.iotdb.udf.Missing' USING URI 'http://jar/f.jar';
--! cannot be loaded from "http://jar/f.jar"
DROP FUNCTION abs;
--! built-in function ABS can not be deregistered
DROP FUNCTION example;
DROP FUNCTION example;
--! this UDF has not been created
SELECT example(s1) FROM root.sg.d1;
--! function "example" is neither built in nor registered
