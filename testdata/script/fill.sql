-- FILL: on the finished rows, each device for itself; LINEAR is weighted by time.

CREATE TIMESERIES root.f.d.b WITH DATATYPE=BOOLEAN;
CREATE TIMESERIES root.f.d.i WITH DATATYPE=INT32;
CREATE TIMESERIES root.f.d.l WITH DATATYPE=INT64;
CREATE TIMESERIES root.f.d.f WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.f.d.d WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.f.d.t WITH DATATYPE=TEXT;
insert into root.f.d(time, b, i, l, f, d, t) values (1, true, 1, 1, 1.5, 1.5, 'a'), (5, null, 5, 5, 5, 5, null), (6, false, null, null, null, null, 'c'), (8, null, 8, 8, 8, 8, null);
select b, i, l, f, d, t from root.f.d;
--> Time,root.f.d.b,root.f.d.i,root.f.d.l,root.f.d.f,root.f.d.d,root.f.d.t
--> 1,true,1,1,1.5,1.5,a
--> 5,,5,5,5.0,5.0,
--> 6,false,,,,,c
--> 8,,8,8,8.0,8.0,
select b, i, l, f, d, t from root.f.d fill(previous);
--> Time,root.f.d.b,root.f.d.i,root.f.d.l,root.f.d.f,root.f.d.d,root.f.d.t
--> 1,true,1,1,1.5,1.5,a
--> 5,true,5,5,5.0,5.0,a
--> 6,false,5,5,5.0,5.0,c
--> 8,false,8,8,8.0,8.0,c
select b, i, l, f, d, t from root.f.d order by time desc fill(previous);
--> Time,root.f.d.b,root.f.d.i,root.f.d.l,root.f.d.f,root.f.d.d,root.f.d.t
--> 8,,8,8,8.0,8.0,
--> 6,false,8,8,8.0,8.0,c
--> 5,false,5,5,5.0,5.0,c
--> 1,true,1,1,1.5,1.5,a
select b, i, l, f, d, t from root.f.d fill(linear);
--> Time,root.f.d.b,root.f.d.i,root.f.d.l,root.f.d.f,root.f.d.d,root.f.d.t
--> 1,true,1,1,1.5,1.5,a
--> 5,,5,5,5.0,5.0,
--> 6,false,6,6,6.0,6.0,c
--> 8,,8,8,8.0,8.0,
select b, i, l, f, d, t from root.f.d fill(7);
--> Time,root.f.d.b,root.f.d.i,root.f.d.l,root.f.d.f,root.f.d.d,root.f.d.t
--> 1,true,1,1,1.5,1.5,a
--> 5,,5,5,5.0,5.0,7
--> 6,false,7,7,7.0,7.0,c
--> 8,,8,8,8.0,8.0,7
select b, i, l, f, d, t from root.f.d fill(3000000000);
--> Time,root.f.d.b,root.f.d.i,root.f.d.l,root.f.d.f,root.f.d.d,root.f.d.t
--> 1,true,1,1,1.5,1.5,a
--> 5,,5,5,5.0,5.0,3000000000
--> 6,false,,3000000000,3.0E9,3.0E9,c
--> 8,,8,8,8.0,8.0,3000000000
select b, i, l, f, d, t from root.f.d fill(0.5);
--> Time,root.f.d.b,root.f.d.i,root.f.d.l,root.f.d.f,root.f.d.d,root.f.d.t
--> 1,true,1,1,1.5,1.5,a
--> 5,,5,5,5.0,5.0,0.5
--> 6,false,,,0.5,0.5,c
--> 8,,8,8,8.0,8.0,0.5
select b, i, l, f, d, t from root.f.d fill(-1);
--> Time,root.f.d.b,root.f.d.i,root.f.d.l,root.f.d.f,root.f.d.d,root.f.d.t
--> 1,true,1,1,1.5,1.5,a
--> 5,,5,5,5.0,5.0,-1
--> 6,false,-1,-1,-1.0,-1.0,c
--> 8,,8,8,8.0,8.0,-1
select b, i, l, f, d, t from root.f.d fill(true);
--> Time,root.f.d.b,root.f.d.i,root.f.d.l,root.f.d.f,root.f.d.d,root.f.d.t
--> 1,true,1,1,1.5,1.5,a
--> 5,true,5,5,5.0,5.0,true
--> 6,false,,,,,c
--> 8,true,8,8,8.0,8.0,true
select b, i, l, f, d, t from root.f.d fill('x');
--> Time,root.f.d.b,root.f.d.i,root.f.d.l,root.f.d.f,root.f.d.d,root.f.d.t
--> 1,true,1,1,1.5,1.5,a
--> 5,,5,5,5.0,5.0,x
--> 6,false,,,,,c
--> 8,,8,8,8.0,8.0,x
-- Without brackets, as the box of the page has it.
select i from root.f.d fill previous;
--> Time,root.f.d.i
--> 1,1
--> 5,5
--> 8,8
select i from root.f.d fill 100.0;
--> Time,root.f.d.i
--> 1,1
--> 5,5
--> 8,8
select i from root.f.d where time > 5 fill linear limit 1;
--> Time,root.f.d.i
--> 8,8
CREATE TIMESERIES root.f.e.i WITH DATATYPE=INT32;
insert into root.f.e(time, i) values (0, 100);
insert into root.f.e(time, t) values (9, 'z');
select i from root.f.* fill(previous) align by device;
--> Time,Device,i
--> 1,root.f.d,1
--> 5,root.f.d,5
--> 8,root.f.d,8
--> 0,root.f.e,100
select i, t from root.f.* fill(previous) align by device;
--> Time,Device,i,t
--> 1,root.f.d,1,a
--> 5,root.f.d,5,a
--> 6,root.f.d,5,c
--> 8,root.f.d,8,c
--> 0,root.f.e,100,
--> 9,root.f.e,100,z
select i, t from root.f.* fill(linear) align by device;
--> Time,Device,i,t
--> 1,root.f.d,1,a
--> 5,root.f.d,5,
--> 6,root.f.d,6,c
--> 8,root.f.d,8,
--> 0,root.f.e,100,
--> 9,root.f.e,,z
select i from root.f.d fill();
--! expected an expression
