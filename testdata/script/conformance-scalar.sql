-- CAST, ROUND and SUBSTRING: cases of IoTDB's tests of scalar functions.

CREATE TIMESERIES root.db.d1.s1 WITH DATATYPE=INT32;
CREATE TIMESERIES root.db.d1.s2 WITH DATATYPE=INT64;
CREATE TIMESERIES root.db.d1.s3 WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.db.d1.s4 WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.db.d1.s5 WITH DATATYPE=BOOLEAN;
CREATE TIMESERIES root.db.d1.s6 WITH DATATYPE=TEXT;
insert into root.db.d1(time, s1, s2, s3, s4, s5, s6) values (1, 2, 3, 0.11234, 101.143445345, true, null), (2, 2, 4, 10.11234, 20.1443465345, true, 'sss'), (3, 2, 555, 120.161234, 20.61437245345, true, 'sss'), (4, 2, 12341234, 101.131234, null, true, 'sss'), (5, 2, 55678, 90.116234, 20.8143454345, true, 'sss'), (6, 2, 12355, null, 60.71443345345, true, 'sss'), (1678695379764, 2, 12345, 120.511234, 10.143425345, null, 'sss');
-- ROUND gives DOUBLE. With places below zero, whole numbers are rounded as well; IoTDB leaves them as they are.
select round(s1), round(s2), round(s3), round(s4) from root.db.d1;
--> Time,round(root.db.d1.s1),round(root.db.d1.s2),round(root.db.d1.s3),round(root.db.d1.s4)
--> 1,2.0,3.0,0.0,101.0
--> 2,2.0,4.0,10.0,20.0
--> 3,2.0,555.0,120.0,21.0
--> 4,2.0,1.2341234E7,101.0,
--> 5,2.0,55678.0,90.0,21.0
--> 6,2.0,12355.0,,61.0
--> 1678695379764,2.0,12345.0,121.0,10.0
select round(s1, 1), round(s2, 1), round(s3, 1), round(s4, 1) from root.db.d1;
--> Time,"round(root.db.d1.s1, 1)","round(root.db.d1.s2, 1)","round(root.db.d1.s3, 1)","round(root.db.d1.s4, 1)"
--> 1,2.0,3.0,0.1,101.1
--> 2,2.0,4.0,10.1,20.1
--> 3,2.0,555.0,120.2,20.6
--> 4,2.0,1.2341234E7,101.1,
--> 5,2.0,55678.0,90.1,20.8
--> 6,2.0,12355.0,,60.7
--> 1678695379764,2.0,12345.0,120.5,10.1
select round(s1, -1), round(s2, -1), round(s3, -1), round(s4, -1) from root.db.d1;
--> Time,"round(root.db.d1.s1, -1)","round(root.db.d1.s2, -1)","round(root.db.d1.s3, -1)","round(root.db.d1.s4, -1)"
--> 1,0.0,0.0,0.0,100.0
--> 2,0.0,0.0,10.0,20.0
--> 3,0.0,560.0,120.0,20.0
--> 4,0.0,1.234123E7,100.0,
--> 5,0.0,55680.0,90.0,20.0
--> 6,0.0,12360.0,,60.0
--> 1678695379764,0.0,12340.0,120.0,10.0
select round(s5) from root.db.d1;
--! the data type of the input series (index: 0) is not valid. expected: [INT32, INT64, FLOAT, DOUBLE]. actual: BOOLEAN
select round(s6) from root.db.d1;
--! expected: [INT32, INT64, FLOAT, DOUBLE]. actual: TEXT
-- SUBSTRING counts from 1; what begins behind the end is empty.
CREATE TIMESERIES root.sg.d.s1 WITH DATATYPE=TEXT;
CREATE TIMESERIES root.sg.d.s2 WITH DATATYPE=INT32;
CREATE TIMESERIES root.sg.d.s3 WITH DATATYPE=INT64;
CREATE TIMESERIES root.sg.d.s4 WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.sg.d.s5 WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.sg.d.s6 WITH DATATYPE=BOOLEAN;
insert into root.sg.d(time, s1, s2, s3, s4, s5, s6) values (1, 'abcd', 1, 1, 1, 1, true);
insert into root.sg.d(time, s1) values (2, 'test'), (3, 'abcdefg');
select s1, SUBSTRING(s1, 1), SUBSTRING(s1, 1, 3), SUBSTRING(s1 from 1), SUBSTRING(s1 from 1 for 3) from root.sg.d;
--> Time,root.sg.d.s1,"SUBSTRING(root.sg.d.s1, 1)","SUBSTRING(root.sg.d.s1, 1, 3)","SUBSTRING(root.sg.d.s1, 1)","SUBSTRING(root.sg.d.s1, 1, 3)"
--> 1,abcd,abcd,abc,abcd,abc
--> 2,test,test,tes,test,tes
--> 3,abcdefg,abcdefg,abc,abcdefg,abc
select s1, SUBSTRING(s1, 11), SUBSTRING(s1, 11, 13), SUBSTRING(s1 from 11), SUBSTRING(s1 from 11 for 13) from root.sg.d;
--> Time,root.sg.d.s1,"SUBSTRING(root.sg.d.s1, 11)","SUBSTRING(root.sg.d.s1, 11, 13)","SUBSTRING(root.sg.d.s1, 11)","SUBSTRING(root.sg.d.s1, 11, 13)"
--> 1,abcd,"","","",""
--> 2,test,"","","",""
--> 3,abcdefg,"","","",""
select s1, change_points(s1), SUBSTRING(s1, 1), SUBSTRING(s1, 1, 3), SUBSTRING(s1 from 1), SUBSTRING(s1 from 1 for 3) from root.sg.d;
--> Time,root.sg.d.s1,change_points(root.sg.d.s1),"SUBSTRING(root.sg.d.s1, 1)","SUBSTRING(root.sg.d.s1, 1, 3)","SUBSTRING(root.sg.d.s1, 1)","SUBSTRING(root.sg.d.s1, 1, 3)"
--> 1,abcd,abcd,abcd,abc,abcd,abc
--> 2,test,test,test,tes,test,tes
--> 3,abcdefg,abcdefg,abcdefg,abc,abcdefg,abc
select s1, change_points(s1), SUBSTRING(s1, 11), SUBSTRING(s1, 11, 13), SUBSTRING(s1 from 11), SUBSTRING(s1 from 11 for 13) from root.sg.d;
--> Time,root.sg.d.s1,change_points(root.sg.d.s1),"SUBSTRING(root.sg.d.s1, 11)","SUBSTRING(root.sg.d.s1, 11, 13)","SUBSTRING(root.sg.d.s1, 11)","SUBSTRING(root.sg.d.s1, 11, 13)"
--> 1,abcd,abcd,"","","",""
--> 2,test,test,"","","",""
--> 3,abcdefg,abcdefg,"","","",""
select SUBSTRING(s1) from root.sg.d;
--! takes 2 input(s), got 1
select SUBSTRING(s2, 1, 1) from root.sg.d;
--! [TEXT]. actual: INT32
select SUBSTRING(s3, 1, 1) from root.sg.d;
--! [TEXT]. actual: INT64
select SUBSTRING(s4, 1, 1) from root.sg.d;
--! [TEXT]. actual: FLOAT
select SUBSTRING(s5, 1, 1) from root.sg.d;
--! [TEXT]. actual: DOUBLE
select SUBSTRING(s6, 1, 1) from root.sg.d;
--! [TEXT]. actual: BOOLEAN
select SUBSTRING(s1, 1, -10) from root.sg.d;
--! the length -10 is negative
select SUBSTRING(s1, 'start'='1', 'to'='2') from root.sg.d;
--! the input series (index: 1) is not valid
-- IoTDB refuses these: places that are no whole numbers or below 1.
select SUBSTRING(s1, 1.0, 1), SUBSTRING(s1, -1, 4), SUBSTRING(s1 from -1 for 10) from root.sg.d;
--> Time,"SUBSTRING(root.sg.d.s1, 1.0, 1)","SUBSTRING(root.sg.d.s1, -1, 4)","SUBSTRING(root.sg.d.s1, -1, 10)"
--> 1,a,ab,abcd
--> 2,t,te,test
--> 3,a,ab,abcdefg
-- CAST from each type.
CREATE TIMESERIES root.cast.i.v WITH DATATYPE=INT32;
insert into root.cast.i(time, v) values (0, 0), (1, 1), (2, 2), (3, 3), (4, -3);
select cast(v as INT32), cast(v as INT64), cast(v as FLOAT), cast(v as DOUBLE), cast(v as BOOLEAN), cast(v as TEXT) from root.cast.i;
--> Time,CAST(root.cast.i.v AS INT32),CAST(root.cast.i.v AS INT64),CAST(root.cast.i.v AS FLOAT),CAST(root.cast.i.v AS DOUBLE),CAST(root.cast.i.v AS BOOLEAN),CAST(root.cast.i.v AS TEXT)
--> 0,0,0,0.0,0.0,false,0
--> 1,1,1,1.0,1.0,true,1
--> 2,2,2,2.0,2.0,true,2
--> 3,3,3,3.0,3.0,true,3
--> 4,-3,-3,-3.0,-3.0,true,-3
CREATE TIMESERIES root.cast.l.v WITH DATATYPE=INT64;
insert into root.cast.l(time, v) values (0, 0), (1, 1), (2, 2147483647), (3, -2147483648);
select cast(v as INT32), cast(v as INT64), cast(v as FLOAT), cast(v as DOUBLE), cast(v as BOOLEAN), cast(v as TEXT) from root.cast.l;
--> Time,CAST(root.cast.l.v AS INT32),CAST(root.cast.l.v AS INT64),CAST(root.cast.l.v AS FLOAT),CAST(root.cast.l.v AS DOUBLE),CAST(root.cast.l.v AS BOOLEAN),CAST(root.cast.l.v AS TEXT)
--> 0,0,0,0.0,0.0,false,0
--> 1,1,1,1.0,1.0,true,1
--> 2,2147483647,2147483647,2.1474836E9,2.147483647E9,true,2147483647
--> 3,-2147483648,-2147483648,-2.1474836E9,-2.147483648E9,true,-2147483648
CREATE TIMESERIES root.cast.f.v WITH DATATYPE=FLOAT;
insert into root.cast.f(time, v) values (0, 0.0), (1, 1.0), (2, 2.7), (3, 3.33), (4, -2.7), (5, 2.5), (6, -2.5);
select cast(v as INT32), cast(v as INT64), cast(v as FLOAT), cast(v as DOUBLE), cast(v as BOOLEAN), cast(v as TEXT) from root.cast.f;
--> Time,CAST(root.cast.f.v AS INT32),CAST(root.cast.f.v AS INT64),CAST(root.cast.f.v AS FLOAT),CAST(root.cast.f.v AS DOUBLE),CAST(root.cast.f.v AS BOOLEAN),CAST(root.cast.f.v AS TEXT)
--> 0,0,0,0.0,0.0,false,0.0
--> 1,1,1,1.0,1.0,true,1.0
--> 2,3,3,2.7,2.700000047683716,true,2.7
--> 3,3,3,3.33,3.3299999237060547,true,3.33
--> 4,-3,-3,-2.7,-2.700000047683716,true,-2.7
--> 5,3,3,2.5,2.5,true,2.5
--> 6,-2,-2,-2.5,-2.5,true,-2.5
CREATE TIMESERIES root.cast.d.v WITH DATATYPE=DOUBLE;
insert into root.cast.d(time, v) values (0, 0.0), (1, 1.0), (2, 2.7), (3, 3.33), (4, -2.7), (5, 2.5), (6, -2.5);
select cast(v as INT32), cast(v as INT64), cast(v as FLOAT), cast(v as DOUBLE), cast(v as BOOLEAN), cast(v as TEXT) from root.cast.d;
--> Time,CAST(root.cast.d.v AS INT32),CAST(root.cast.d.v AS INT64),CAST(root.cast.d.v AS FLOAT),CAST(root.cast.d.v AS DOUBLE),CAST(root.cast.d.v AS BOOLEAN),CAST(root.cast.d.v AS TEXT)
--> 0,0,0,0.0,0.0,false,0.0
--> 1,1,1,1.0,1.0,true,1.0
--> 2,3,3,2.7,2.7,true,2.7
--> 3,3,3,3.33,3.33,true,3.33
--> 4,-3,-3,-2.7,-2.7,true,-2.7
--> 5,3,3,2.5,2.5,true,2.5
--> 6,-2,-2,-2.5,-2.5,true,-2.5
CREATE TIMESERIES root.cast.b.v WITH DATATYPE=BOOLEAN;
insert into root.cast.b(time, v) values (0, false), (1, true);
select cast(v as INT32), cast(v as INT64), cast(v as FLOAT), cast(v as DOUBLE), cast(v as BOOLEAN), cast(v as TEXT) from root.cast.b;
--> Time,CAST(root.cast.b.v AS INT32),CAST(root.cast.b.v AS INT64),CAST(root.cast.b.v AS FLOAT),CAST(root.cast.b.v AS DOUBLE),CAST(root.cast.b.v AS BOOLEAN),CAST(root.cast.b.v AS TEXT)
--> 0,0,0,0.0,0.0,false,false
--> 1,1,1,1.0,1.0,true,true
CREATE TIMESERIES root.cast.t.n WITH DATATYPE=TEXT;
CREATE TIMESERIES root.cast.t.b WITH DATATYPE=TEXT;
insert into root.cast.t(time, n, b) values (0, '10000', 'false'), (1, '3', 'TRUE'), (2, null, 'False');
select cast(n as INT32), cast(n as INT64), cast(n as FLOAT), cast(n as DOUBLE), cast(b as BOOLEAN), cast(n as TEXT) from root.cast.t;
--> Time,CAST(root.cast.t.n AS INT32),CAST(root.cast.t.n AS INT64),CAST(root.cast.t.n AS FLOAT),CAST(root.cast.t.n AS DOUBLE),CAST(root.cast.t.b AS BOOLEAN),CAST(root.cast.t.n AS TEXT)
--> 0,10000,10000,10000.0,10000.0,false,10000
--> 1,3,3,3.0,3.0,true,3
--> 2,,,,,false,
-- In one another, with functions over rows, and in WHERE.
select cast(cast(v as TEXT) as DOUBLE) + 1, difference(cast(v as INT32)) from root.cast.f where cast(v as INT32) > 0;
--> Time,CAST(CAST(root.cast.f.v AS TEXT) AS DOUBLE) + 1,difference(CAST(root.cast.f.v AS INT32))
--> 1,2.0,
--> 2,3.7,2
--> 3,4.33,0
--> 5,3.5,0
-- What does not fit.
insert into root.cast.l(time, v) values (9, 2147483648), (10, -2147483649);
select cast(v as INT32) from root.cast.l where time = 9;
--! INT32
select cast(v as INT32) from root.cast.l where time = 10;
--! INT32
insert into root.cast.d(time, v) values (9, 2147483648.0), (10, 1e300), (11, NaN);
select cast(v as INT32) from root.cast.d where time = 9;
--! INT32
select cast(v as INT64) from root.cast.d where time = 9;
--> Time,CAST(root.cast.d.v AS INT64)
--> 9,2147483648
select cast(v as INT64) from root.cast.d where time = 10;
--! INT64
select cast(v as FLOAT) from root.cast.d where time = 10;
--! FLOAT
insert into root.cast.t(time, n, b) values (9, '1.1', 'yes');
select cast(n as INT32) from root.cast.t;
--! "1.1" is no value of INT32
select cast(n as INT64) from root.cast.t;
--! "1.1" is no value of INT64
select cast(b as FLOAT) from root.cast.t;
--! FLOAT
select cast(b as DOUBLE) from root.cast.t;
--! DOUBLE
select cast(b as BOOLEAN) from root.cast.t;
--! BOOLEAN
select cast(v as INT31) from root.cast.i;
--! expected BOOLEAN, INT32, INT64, FLOAT, DOUBLE or TEXT
select cast(v) from root.cast.i;
--! line 1, column 14
