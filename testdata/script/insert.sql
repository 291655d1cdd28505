-- INSERT and DELETE.

-- Kinds that are inferred where no series is.
insert into root.i.d(time, b, i, big, dec, nan, txt, quoted) values (1, true, 5, 16777217, 1.5, NaN, 'text', 'true');
show timeseries root.i.d.*;
--> Timeseries,Alias,Database,DataType,Encoding,Compression,Tags,Attributes,Deadband,DeadbandParameters,ViewType
--> root.i.d.b,,root.i,BOOLEAN,,,,,,,BASE
--> root.i.d.big,,root.i,DOUBLE,,,,,,,BASE
--> root.i.d.dec,,root.i,FLOAT,,,,,,,BASE
--> root.i.d.i,,root.i,FLOAT,,,,,,,BASE
--> root.i.d.nan,,root.i,DOUBLE,,,,,,,BASE
--> root.i.d.quoted,,root.i,TEXT,,,,,,,BASE
--> root.i.d.txt,,root.i,TEXT,,,,,,,BASE
select b, i, big, dec, nan, txt, quoted from root.i.d;
--> Time,root.i.d.b,root.i.d.i,root.i.d.big,root.i.d.dec,root.i.d.nan,root.i.d.txt,root.i.d.quoted
--> 1,true,5.0,1.6777217E7,1.5,NaN,text,true
insert into root.i.d(timestamp, i, dec) values (2, -5, -.5), (3, +6, 1e3);
insert into root.i.d(i, dec, time) values (7, 2.5e-5, 4);
select i, dec from root.i.d where time > 1;
--> Time,root.i.d.i,root.i.d.dec
--> 2,-5.0,-0.5
--> 3,6.0,1000.0
--> 4,7.0,2.5E-5
-- Literals become values of the kind of their series.
CREATE TIMESERIES root.i.k.b WITH DATATYPE=BOOLEAN;
CREATE TIMESERIES root.i.k.i WITH DATATYPE=INT32;
CREATE TIMESERIES root.i.k.l WITH DATATYPE=INT64;
CREATE TIMESERIES root.i.k.f WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.i.k.d WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.i.k.t WITH DATATYPE=TEXT;
insert into root.i.k(time, b, i, l, f, d, t) values (1, TRUE, 2147483647, 9223372036854775807, 3.4028235E38, 1.7976931348623157E308, "a ""b"" 'c'");
insert into root.i.k(time, b, i, l, f, d, t) values (2, 'false', '-2147483648', -9223372036854775808, 1, 16777217, 12);
insert into root.i.k(time, b, i, l, f, d, t) values (3, null, null, null, null, null, null);
insert into root.i.k(time, d, f, t) values (4, 123456789.5, 0.0001, 'it''s');
select b, i, l, f, d, t from root.i.k;
--> Time,root.i.k.b,root.i.k.i,root.i.k.l,root.i.k.f,root.i.k.d,root.i.k.t
--> 1,true,2147483647,9223372036854775807,3.4028235E38,1.7976931348623157E308,"a ""b"" 'c'"
--> 2,false,-2147483648,-9223372036854775808,1.0,1.6777217E7,12
--> 4,,,,1.0E-4,1.234567895E8,it's
-- A value that does not fit is left out and reported, the others are stored.
insert into root.i.k(time, i, t) values (5, 1.5, 'stored');
--! measurement i: data type is not consistent, input 1.5, registered INT32
--! the other measurements are stored
insert into root.i.k(time, i) values (6, 2147483648);
--! nothing is stored
insert into root.i.k(time, b) values (6, 1);
--! input 1, registered BOOLEAN
insert into root.i.k(time, f) values (6, 1e39);
--! input 1e39, registered FLOAT
insert into root.i.k(time, i, t) values (7, 1, 'x'), (8, 'no', 'y');
--! measurement i: data type is not consistent, input 'no', registered INT32
select i, t from root.i.k where time > 4;
--> Time,root.i.k.i,root.i.k.t
--> 5,,stored
--> 7,,x
--> 8,,y
-- Nulls do not erase; a later write of the same time overwrites cell by cell.
insert into root.i.o(time, a, b) values (1, 1, 1);
insert into root.i.o(time, a, b) values (1, null, 2);
select a, b from root.i.o;
--> Time,root.i.o.a,root.i.o.b
--> 1,1.0,2.0
insert into root.i.o(time, a, c) values (2, 3, null);
--! measurement c: it does not exist
select * from root.i.o;
--> Time,root.i.o.a,root.i.o.b
--> 1,1.0,2.0
--> 2,3.0,
-- Several rows, with and without commas; times of all forms.
insert into root.i.m(time, s) values (1, 1) (2, 2), (1970-01-01T00:00:00.003Z, 3), (1970-01-01 00:00:00.004, 4), (1970/1/1T08:00:00.005+08:00, 5), (-1, 0);
select s from root.i.m;
--> Time,root.i.m.s
--> -1,0.0
--> 1,1.0
--> 2,2.0
--> 3,3.0
--> 4,4.0
--> 5,5.0
-- Without time: now.
\clock 2024-02-29T12:00:00Z
insert into root.i.n(s) values (1);
\clock 2024-02-29T12:00:01Z
insert into root.i.n(time, s) values (now(), 2), (now() - 1mo, 3), (now() + 1d1h, 4);
select s from root.i.n;
--> Time,root.i.n.s
--> 1706529601000,3.0
--> 1709208000000,1.0
--> 1709208001000,2.0
--> 1709298001000,4.0
insert into root.i.n(s) values (1), (2);
--! need timestamps when insert multi rows
insert into root.i.al(time, s1, s2) aligned values (1, 2, 3);
select s1, s2 from root.i.al;
--> Time,root.i.al.s1,root.i.al.s2
--> 1,2.0,3.0
-- What is refused.
insert into root.i.d(timestamp) values (1);
--! line 1, column 33: no measurement is given
insert into root.i.d(time, a, b) values (1, 2);
--! the measurements (2) and the values (1) do not match
insert into root.i.d(time, a) values (1, 2, 3);
--! do not match
insert into root.i.d(time, a) values (1, word);
--! line 1, column 42
--! a text needs quotes
insert into root.i.d(time, a, a) values (1, 2, 3);
--! given twice
insert into root.i.*(time, a) values (1, 2);
--! wildcard
insert into d(time, a) values (1, 2);
--! expected a device that begins with root
insert into root.i.d(time, a) values (2021-13-01, 2);
--! there is no month 13
insert into root.i.d(time, a) values (9223372036854775807, 2);
--! outside the years 1678 to 2261
insert into root.i.d(time, a) values (99999999999999999999, 2);
--! outside the range of INT64

-- DELETE.
insert into root.del.d(time, a, b) values (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4), (5, 5, 5), (6, 6, 6);
delete from root.del.d.a where time <= 2;
delete from root.del.d.a, root.del.d.b where time > 4 and time < 6;
delete from root.del.*.b where time = 1;
delete from root.del.d.b where time between 3 and 4;
select a, b from root.del.d;
--> Time,root.del.d.a,root.del.d.b
--> 2,,2.0
--> 3,3.0,
--> 4,4.0,
--> 6,6.0,6.0
delete from root.del.d.a where time >= 10;
delete from root.del.d.a where a > 1;
--! points are deleted by time only
delete from root.del.d.a where time > 1 or time < 0;
--! points are deleted by time only
select a, b from root.del.d;
--> Time,root.del.d.a,root.del.d.b
--> 2,,2.0
--> 3,3.0,
--> 4,4.0,
--> 6,6.0,6.0
delete from root.del.d.*;
select a, b from root.del.d;
--> Time,root.del.d.a,root.del.d.b
delete timeseries root.del.d.a;
select a, b from root.del.d;
--> Time,root.del.d.b
delete timeseries root.del.d.a;
--! no series matches
