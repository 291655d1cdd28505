-- ALIGN BY DEVICE, LAST, pagination, aliases.

CREATE TIMESERIES root.v.d1.s0 WITH DATATYPE=INT32;
CREATE TIMESERIES root.v.d1.s1 WITH DATATYPE=INT64;
CREATE TIMESERIES root.v.d2.s0 WITH DATATYPE=INT32;
CREATE TIMESERIES root.v.d1.s3 WITH DATATYPE=TEXT;
insert into root.v.d1(time, s0, s1, s3) values (1, 101, 1101, null), (2, 10000, 40000, null), (50, 10000, 50000, null), (60, null, null, 'aaaaa');
insert into root.v.d2(time, s0) values (10, 1), (2, 99);
select * from root.v.* align by device;
--> Time,Device,s0,s1,s3
--> 1,root.v.d1,101,1101,
--> 2,root.v.d1,10000,40000,
--> 50,root.v.d1,10000,50000,
--> 60,root.v.d1,,,aaaaa
--> 2,root.v.d2,99,,
--> 10,root.v.d2,1,,
select s0, s1 from root.v.* align by device;
--> Time,Device,s0,s1
--> 1,root.v.d1,101,1101
--> 2,root.v.d1,10000,40000
--> 50,root.v.d1,10000,50000
--> 2,root.v.d2,99,
--> 10,root.v.d2,1,
select s1, s0, s0 from root.v.d1, root.v.d2 align by device;
--> Time,Device,s1,s0,s0
--> 1,root.v.d1,1101,101,101
--> 2,root.v.d1,40000,10000,10000
--> 50,root.v.d1,50000,10000,10000
--> 2,root.v.d2,,99,99
--> 10,root.v.d2,,1,1
select s3, s9 from root.v.* align by device;
--> Time,Device,s3
--> 60,root.v.d1,aaaaa
select s9 from root.v.* align by device;
--> Time,Device
select s0 from root.v.* where s0 > 100 align by device;
--> Time,Device,s0
--> 1,root.v.d1,101
--> 2,root.v.d1,10000
--> 50,root.v.d1,10000
select s0 + 1, s1 as one from root.v.* align by device;
--> Time,Device,s0 + 1,one
--> 1,root.v.d1,102.0,1101
--> 2,root.v.d1,10001.0,40000
--> 50,root.v.d1,10001.0,50000
--> 2,root.v.d2,100.0,
--> 10,root.v.d2,2.0,
select count(s0), max_value(s1) from root.v.* align by device;
--> Device,count(s0),max_value(s1)
--> root.v.d1,3,50000
--> root.v.d2,2,
select s0 from root.v.* order by time, device align by device;
--> Time,Device,s0
--> 1,root.v.d1,101
--> 2,root.v.d1,10000
--> 2,root.v.d2,99
--> 10,root.v.d2,1
--> 50,root.v.d1,10000
select s0 from root.v.* order by time desc align by device;
--> Time,Device,s0
--> 50,root.v.d1,10000
--> 10,root.v.d2,1
--> 2,root.v.d1,10000
--> 2,root.v.d2,99
--> 1,root.v.d1,101
select s0 from root.v.* order by device desc, time desc align by device;
--> Time,Device,s0
--> 10,root.v.d2,1
--> 2,root.v.d2,99
--> 50,root.v.d1,10000
--> 2,root.v.d1,10000
--> 1,root.v.d1,101
select s0 from root.v.* order by s0 desc, device align by device;
--> Time,Device,s0
--> 2,root.v.d1,10000
--> 50,root.v.d1,10000
--> 1,root.v.d1,101
--> 2,root.v.d2,99
--> 10,root.v.d2,1
select s1 from root.v.* order by s1 nulls first align by device;
--> Time,Device,s1
--> 1,root.v.d1,1101
--> 2,root.v.d1,40000
--> 50,root.v.d1,50000
select * from root.v.* limit 3 offset 1 align by device;
--> Time,Device,s0,s1,s3
--> 2,root.v.d1,10000,40000,
--> 50,root.v.d1,10000,50000,
--> 60,root.v.d1,,,aaaaa
select * from root.v.* slimit 1 soffset 1 align by device;
--> Time,Device,s1
--> 1,root.v.d1,1101
--> 2,root.v.d1,40000
--> 50,root.v.d1,50000
select * from root.v.* slimit 1 soffset 1 limit 1 align by device;
--> Time,Device,s1
--> 1,root.v.d1,1101
select d1.s0 from root.v align by device;
--! ALIGN BY DEVICE
CREATE TIMESERIES root.v.d3.s0 WITH DATATYPE=TEXT;
select s0 from root.v.* align by device;
--! the data types of the same measurement column should be the same across devices
delete timeseries root.v.d3.s0;

-- LAST.
select last * from root.v.*;
--> Time,Timeseries,Value,DataType
--> 50,root.v.d1.s0,10000,INT32
--> 50,root.v.d1.s1,50000,INT64
--> 60,root.v.d1.s3,aaaaa,TEXT
--> 10,root.v.d2.s0,1,INT32
select last s0 from root.v.*;
--> Time,Timeseries,Value,DataType
--> 50,root.v.d1.s0,10000,INT32
--> 10,root.v.d2.s0,1,INT32
select last s0, s1 from root.v.d1 where time <= 2;
--> Time,Timeseries,Value,DataType
--> 2,root.v.d1.s0,10000,INT32
--> 2,root.v.d1.s1,40000,INT64
select last * from root.v.* order by timeseries desc;
--> Time,Timeseries,Value,DataType
--> 10,root.v.d2.s0,1,INT32
--> 60,root.v.d1.s3,aaaaa,TEXT
--> 50,root.v.d1.s1,50000,INT64
--> 50,root.v.d1.s0,10000,INT32
select last * from root.v.* order by time desc limit 2;
--> Time,Timeseries,Value,DataType
--> 60,root.v.d1.s3,aaaaa,TEXT
--> 50,root.v.d1.s0,10000,INT32
select last s9 from root.v.d1;
--> Time,Timeseries,Value,DataType
select last s0 + 1 from root.v.d1;
--! last queries can only be applied on raw time series
select last count(s0) from root.v.d1;
--! last queries can only be applied on raw time series
select last s0 from root.v.d1 where s0 > 1;
--! only time filters are supported in LAST query
select last s0 from root.v.d1 slimit 1;
--! SLIMIT and SOFFSET can not be used in LastQuery

-- Pagination.
select s0, s1 from root.v.d1 limit 1;
--> Time,root.v.d1.s0,root.v.d1.s1
--> 1,101,1101
select s0, s1 from root.v.d1 offset 1;
--> Time,root.v.d1.s0,root.v.d1.s1
--> 2,10000,40000
--> 50,10000,50000
select s0, s1 from root.v.d1 offset 1 limit 1;
--> Time,root.v.d1.s0,root.v.d1.s1
--> 2,10000,40000
select * from root.v.d1 slimit 1 soffset 1;
--> Time,root.v.d1.s1
--> 1,1101
--> 2,40000
--> 50,50000
select * from root.v.d1 soffset 2 slimit 5 limit 1;
--> Time,root.v.d1.s3
--> 60,aaaaa
select s0 from root.v.d1 limit 0;
--! LIMIT must be greater than 0
select s0 from root.v.d1 slimit 0;
--! SLIMIT must be greater than 0
select s0 from root.v.d1 limit -1;
--! expected an integer of LIMIT
select s0 from root.v.d1 order by s0 desc;
--> Time,root.v.d1.s0
--> 2,10000
--> 50,10000
--> 1,101
select s0, s1 from root.v.d1 order by s1 desc, time;
--> Time,root.v.d1.s0,root.v.d1.s1
--> 50,10000,50000
--> 2,10000,40000
--> 1,101,1101
select s0 from root.v.d1 order by time desc limit 1;
--> Time,root.v.d1.s0
--> 50,10000

-- Aliases.
select s0 as speed, s1 as `a b` from root.v.d1 limit 1;
--> Time,speed,a b
--> 1,101,1101
select count(s0) as n, max_value(s1) as "most" from root.v.d1;
--> n,most
--> 3,50000
select s0 as x from root.v.*;
--! alias 'x' can only be matched with one time series
select COUNT(s0), Max_Value(s0) from root.v.d1;
--> COUNT(root.v.d1.s0),Max_Value(root.v.d1.s0)
--> 3,10000

-- Which columns come: item by item, over FROM, in the order in which series were made.
select s0, s1 from root.v.*;
--> Time,root.v.d1.s0,root.v.d2.s0,root.v.d1.s1
--> 1,101,,1101
--> 2,10000,99,40000
--> 10,,1,
--> 50,10000,,50000
select s0 from root.v.d2, root.v.d1;
--> Time,root.v.d2.s0,root.v.d1.s0
--> 1,,101
--> 2,99,10000
--> 10,1,
--> 50,,10000
select s0, s0 from root.v.d1 limit 1;
--> Time,root.v.d1.s0,root.v.d1.s0
--> 1,101,101
select root.v.d2.s0 from root.v.d1;
--> Time,root.v.d2.s0
--> 2,99
--> 10,1
select s0 from root.v.d1 where root.v.d2.s0 > 50;
--> Time,root.v.d1.s0
--> 2,10000
select s7 from root.v.d1;
--> Time
select s0 from root.v.d1 where s7 > 1;
--> Time,root.v.d1.s0

-- Values of LAST, and casts to TEXT, print floats as everything else does.
CREATE TIMESERIES root.floats.d.d WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.floats.d.f WITH DATATYPE=FLOAT;
insert into root.floats.d(time, d, f) values (1, 12345678, 0.0001);
select last d, f from root.floats.d;
--> Time,Timeseries,Value,DataType
--> 1,root.floats.d.d,1.2345678E7,DOUBLE
--> 1,root.floats.d.f,1.0E-4,FLOAT
select cast(d as TEXT), cast(f as TEXT), d, f from root.floats.d;
--> Time,CAST(root.floats.d.d AS TEXT),CAST(root.floats.d.f AS TEXT),root.floats.d.d,root.floats.d.f
--> 1,1.2345678E7,1.0E-4,1.2345678E7,1.0E-4
