-- SELECT INTO: rules and worked examples of IoTDB.

CREATE TIMESERIES root.sg.d1.s1 WITH DATATYPE=INT32;
CREATE TIMESERIES root.sg.d1.s2 WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.sg.d2.s1 WITH DATATYPE=INT32;
CREATE TIMESERIES root.sg.d2.s2 WITH DATATYPE=FLOAT;
INSERT INTO root.sg.d1(time, s1, s2) VALUES (1, 1, null), (2, 2, 2), (3, 3, 3), (4, null, 4), (5, 5, null), (6, 6, 6), (7, 7, 7), (8, 8, 8), (9, null, 9), (10, 10, null), (11, 11, 11), (12, 12, 12);
INSERT INTO root.sg.d2(time, s1, s2) VALUES (1, 1, 1), (2, null, 2), (3, 3, null), (4, 4, 4), (5, null, 5), (6, null, 6), (7, 7, null), (8, 8, 8), (10, 10, 10), (11, null, 11), (12, 12, null);

-- Positional: the columns in their order.
select s1, s2 into root.sg_bk1.new_d(t1, t2, t3, t4) from root.sg.*;
--> SourceColumn,TargetTimeseries,Written
--> root.sg.d1.s1,root.sg_bk1.new_d.t1,10
--> root.sg.d2.s1,root.sg_bk1.new_d.t2,7
--> root.sg.d1.s2,root.sg_bk1.new_d.t3,9
--> root.sg.d2.s2,root.sg_bk1.new_d.t4,8
select t1, t2, t3, t4 from root.sg_bk1.new_d;
--> Time,root.sg_bk1.new_d.t1,root.sg_bk1.new_d.t2,root.sg_bk1.new_d.t3,root.sg_bk1.new_d.t4
--> 1,1,1,,1.0
--> 2,2,,2.0,2.0
--> 3,3,3,3.0,
--> 4,,4,4.0,4.0
--> 5,5,,,5.0
--> 6,6,,6.0,6.0
--> 7,7,7,7.0,
--> 8,8,8,8.0,8.0
--> 9,,,9.0,
--> 10,10,10,,10.0
--> 11,11,,11.0,11.0
--> 12,12,12,12.0,
-- Templates.
select s1, s2 into root.sg_bk2.new_${2}(::) from root.sg.*;
--> SourceColumn,TargetTimeseries,Written
--> root.sg.d1.s1,root.sg_bk2.new_d1.s1,10
--> root.sg.d2.s1,root.sg_bk2.new_d2.s1,7
--> root.sg.d1.s2,root.sg_bk2.new_d1.s2,9
--> root.sg.d2.s2,root.sg_bk2.new_d2.s2,8
select s1, s2 from root.sg_bk2.new_d1, root.sg_bk2.new_d2;
--> Time,root.sg_bk2.new_d1.s1,root.sg_bk2.new_d2.s1,root.sg_bk2.new_d1.s2,root.sg_bk2.new_d2.s2
--> 1,1,1,,1.0
--> 2,2,,2.0,2.0
--> 3,3,3,3.0,
--> 4,,4,4.0,4.0
--> 5,5,,,5.0
--> 6,6,,6.0,6.0
--> 7,7,7,7.0,
--> 8,8,8,8.0,8.0
--> 9,,,9.0,
--> 10,10,10,,10.0
--> 11,11,,11.0,11.0
--> 12,12,12,12.0,
select s1, s2, s1, s2 into root.sg_bk3.new_d1(t1, t2), aligned root.sg_bk3.new_d2(t1, t2) from root.sg.d1;
--> SourceColumn,TargetTimeseries,Written
--> root.sg.d1.s1,root.sg_bk3.new_d1.t1,10
--> root.sg.d1.s2,root.sg_bk3.new_d1.t2,9
--> root.sg.d1.s1,root.sg_bk3.new_d2.t1,10
--> root.sg.d1.s2,root.sg_bk3.new_d2.t2,9
select * into root.sg_bk4.::(::) from root.sg.d1;
--> SourceColumn,TargetTimeseries,Written
--> root.sg.d1.s1,root.sg_bk4.d1.s1,10
--> root.sg.d1.s2,root.sg_bk4.d1.s2,9
show timeseries root.sg_bk4.**;
--> Timeseries,Alias,Database,DataType,Encoding,Compression,Tags,Attributes,Deadband,DeadbandParameters,ViewType
--> root.sg_bk4.d1.s1,,root.sg_bk4,INT32,,,,,,,BASE
--> root.sg_bk4.d1.s2,,root.sg_bk4,FLOAT,,,,,,,BASE
select s1 into root.sg_bk5.`${2}-x`.y(`a.b`) from root.sg.d1;
--> SourceColumn,TargetTimeseries,Written
--> root.sg.d1.s1,root.sg_bk5.`d1-x`.y.`a.b`,10
-- Nothing to read.
select s3 into root.none.d(s) from root.sg.d1;
--> SourceColumn,TargetTimeseries,Written
select s1 into root.none.d(s) from root.sg.d1 where time > 100;
--> SourceColumn,TargetTimeseries,Written
-- Aggregates: at time 0, or at the start of their windows.
select count(d1.s1), last_value(d1.s2), count(d2.s1), last_value(d2.s2) into root.agg.d(c1, l1, c2, l2) from root.sg;
--> SourceColumn,TargetTimeseries,Written
--> count(root.sg.d1.s1),root.agg.d.c1,1
--> last_value(root.sg.d1.s2),root.agg.d.l1,1
--> count(root.sg.d2.s1),root.agg.d.c2,1
--> last_value(root.sg.d2.s2),root.agg.d.l2,1
select c1, l1, c2, l2 from root.agg.d;
--> Time,root.agg.d.c1,root.agg.d.l1,root.agg.d.c2,root.agg.d.l2
--> 0,10,12.0,7,11.0
select count(d1.s1), first_value(d1.s2) into root.agg2.d(c1, f1) from root.sg group by ([1, 13), 3ms);
--> SourceColumn,TargetTimeseries,Written
--> count(root.sg.d1.s1),root.agg2.d.c1,4
--> first_value(root.sg.d1.s2),root.agg2.d.f1,4
select c1, f1 from root.agg2.d;
--> Time,root.agg2.d.c1,root.agg2.d.f1
--> 1,3,2.0
--> 4,2,4.0
--> 7,2,7.0
--> 10,3,11.0
-- Expressions.
select d1.s1 + d2.s1, -sin(d1.s2), top_k(d2.s2, 'k'='3') into root.ex.d(a, b, c) from root.sg;
--> SourceColumn,TargetTimeseries,Written
--> root.sg.d1.s1 + root.sg.d2.s1,root.ex.d.a,6
--> -sin(root.sg.d1.s2),root.ex.d.b,9
--> "top_k(root.sg.d2.s2, ""k""=""3"")",root.ex.d.c,3
select c from root.ex.d;
--> Time,root.ex.d.c
--> 8,8.0
--> 10,10.0
--> 11,11.0
-- By device.
select s1, s2 into root.dv1.d1(t1, t2), root.dv1.d2(t3, t4) from root.sg.* align by device;
--> SourceDevice,SourceColumn,TargetTimeseries,Written
--> root.sg.d1,s1,root.dv1.d1.t1,10
--> root.sg.d1,s2,root.dv1.d1.t2,9
--> root.sg.d2,s1,root.dv1.d2.t3,7
--> root.sg.d2,s2,root.dv1.d2.t4,8
select s1 + 1, s2 into root.dv2.::(k1, k2) from root.sg.* align by device;
--> SourceDevice,SourceColumn,TargetTimeseries,Written
--> root.sg.d1,s1 + 1,root.dv2.d1.k1,10
--> root.sg.d1,s2,root.dv2.d1.k2,9
--> root.sg.d2,s1 + 1,root.dv2.d2.k1,7
--> root.sg.d2,s2,root.dv2.d2.k2,8
select avg(s1), count(s2) into root.dv3.d1(a, c), root.dv3.d2(a, c) from root.sg.* align by device;
--> SourceDevice,SourceColumn,TargetTimeseries,Written
--> root.sg.d1,avg(s1),root.dv3.d1.a,1
--> root.sg.d1,count(s2),root.dv3.d1.c,1
--> root.sg.d2,avg(s1),root.dv3.d2.a,1
--> root.sg.d2,count(s2),root.dv3.d2.c,1
select * from root.dv3.** align by device;
--> Time,Device,a,c
--> 0,root.dv3.d1,6.5,9
--> 0,root.dv3.d2,6.428571428571429,8
-- With LIMIT.
select s1 into root.lim.d(s) from root.sg.d1 limit 2 offset 1;
--> SourceColumn,TargetTimeseries,Written
--> root.sg.d1.s1,root.lim.d.s,2
select s from root.lim.d;
--> Time,root.lim.d.s
--> 2,2
--> 3,3

-- Kinds of targets that exist.
CREATE TIMESERIES root.types.d.i32 WITH DATATYPE=INT32;
CREATE TIMESERIES root.types.d.i64 WITH DATATYPE=INT64;
CREATE TIMESERIES root.types.d.f WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.types.d.d WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.types.d.t WITH DATATYPE=TEXT;
select s1, s1, s1 into root.types.d(i64, f, d) from root.sg.d1 where time < 3;
--> SourceColumn,TargetTimeseries,Written
--> root.sg.d1.s1,root.types.d.i64,2
--> root.sg.d1.s1,root.types.d.f,2
--> root.sg.d1.s1,root.types.d.d,2
select i64, f, d from root.types.d;
--> Time,root.types.d.i64,root.types.d.f,root.types.d.d
--> 1,1,1.0,1.0
--> 2,2,2.0,2.0
select s2 into root.types.d(i32) from root.sg.d1;
--! The data type of target path (root.types.d.i32[INT32]) is not compatible with the data type of source column (root.sg.d1.s2[FLOAT])
select s1 into root.types.d(t) from root.sg.d1;
--! (root.types.d.t[TEXT]) is not compatible with the data type of source column (root.sg.d1.s1[INT32])

-- What is refused.
select s1, s2 into root.bad.d(t1) from root.sg.d1;
--! select into: the number of source columns and the number of target paths should be the same
select s1, s2 into root.bad.d(t1, t1) from root.sg.d1;
--! select into: target paths in into clause should be different
select count(s1) into root.bad.${2}(::) from root.sg.d1;
--! select into: placeholders can only be used in raw time series data queries, or in the device of a target when aligned by device (AlignByDevice)
select s1, s2 into root.bad.${2}(::, ::) from root.sg.d1;
--! select into: the correspondence between the placeholder and the raw time series could not be established
select s1 into root.bad.${7}(s) from root.sg.d1;
--! select into: the i of ${i} should be greater than 0 and equal to or less than the length of queried path prefix
select s1 into root.bad.${x}(s) from root.sg.d1;
--! select into: the i of ${i} should be an integer
select s1 into root.::.d(s) from root.sg.d1;
--! placeholder `::` can only be used at the end of the path
select s1, s2 into root.bad.d1(t1, t2) from root.sg.* align by device;
--! select into: the number of source devices and the number of target devices should be the same
select last s1 into root.bad.d(s) from root.sg.d1;
--! select into
select s1 into root.bad.d(s) from root.sg.d1 slimit 1;
--! select into
