-- GROUP BY time.

insert into root.ln.d(time, s) values (1, 1), (2, 2), (3, 3), (9, 9), (14, 14), (15, 15);
select count(s), sum(s), avg(s) from root.ln.d group by ([0, 20), 5ms);
--> Time,count(root.ln.d.s),sum(root.ln.d.s),avg(root.ln.d.s)
--> 0,3,6.0,2.0
--> 5,1,9.0,9.0
--> 10,1,14.0,14.0
--> 15,1,15.0,15.0
-- The last window is cut off by the end of the range.
select count(s), max_time(s) from root.ln.d group by ([0, 10), 4ms);
--> Time,count(root.ln.d.s),max_time(root.ln.d.s)
--> 0,3,3
--> 4,0,
--> 8,1,9
-- Left open: a row carries the end of its window.
insert into root.one.d(time, s) values (9, 9);
select count(s) from root.one.d group by ((0, 9], 2ms);
--> Time,count(root.one.d.s)
--> 2,0
--> 4,0
--> 6,0
--> 8,0
--> 9,1
select count(s) from root.one.d group by ([0, 9], 2ms);
--! line 1, column 48
-- A step that is longer than the window, and one that is shorter.
select count(s), sum(s) from root.ln.d group by ([0, 20), 3ms, 7ms);
--> Time,count(root.ln.d.s),sum(root.ln.d.s)
--> 0,2,3.0
--> 7,1,9.0
--> 14,2,29.0
select count(s) from root.ln.d group by ([0, 20), 10ms, 5ms);
--> Time,count(root.ln.d.s)
--> 0,4
--> 5,2
--> 10,2
--> 15,1
-- WHERE comes first.
select count(s) from root.ln.d where s > 2 and time < 15 group by ([0, 20), 5ms);
--> Time,count(root.ln.d.s)
--> 0,1
--> 5,1
--> 10,1
--> 15,0
select count(s) from root.ln.d where time >= 3 group by ([0, 20), 10ms);
--> Time,count(root.ln.d.s)
--> 0,2
--> 10,2
-- HAVING, FILL, LIMIT, ORDER BY.
select count(s), sum(s) from root.ln.d group by ([0, 20), 5ms) having count(s) > 0;
--> Time,count(root.ln.d.s),sum(root.ln.d.s)
--> 0,3,6.0
--> 5,1,9.0
--> 10,1,14.0
--> 15,1,15.0
select count(s), sum(s) from root.ln.d group by ([0, 20), 5ms) having sum(s) > 5 and count(s) > 1;
--> Time,count(root.ln.d.s),sum(root.ln.d.s)
--> 0,3,6.0
select sum(s) from root.ln.d group by ([0, 30), 5ms) fill(previous);
--> Time,sum(root.ln.d.s)
--> 0,6.0
--> 5,9.0
--> 10,14.0
--> 15,15.0
--> 20,15.0
--> 25,15.0
select sum(s) from root.ln.d group by ([0, 30), 5ms) fill previous limit 2 offset 4;
--> Time,sum(root.ln.d.s)
--> 20,15.0
--> 25,15.0
select sum(s) from root.ln.d group by ([0, 20), 5ms) order by time desc;
--> Time,sum(root.ln.d.s)
--> 15,15.0
--> 10,14.0
--> 5,9.0
--> 0,6.0
select last_value(s), min_value(s) from root.ln.d group by ([0, 20), 10ms) order by last_value(s) desc;
--> Time,last_value(root.ln.d.s),min_value(root.ln.d.s)
--> 10,15.0,14.0
--> 0,9.0,1.0
-- By device.
select count(s) from root.ln.d, root.one.d group by ([0, 20), 10ms) align by device;
--> Time,Device,count(s)
--> 0,root.ln.d,4
--> 10,root.ln.d,2
--> 0,root.one.d,1
--> 10,root.one.d,0
-- Nothing there: series without data, and no series.
CREATE TIMESERIES root.empty.d.s WITH DATATYPE=INT32;
select count(s), sum(s), first_value(s) from root.empty.d group by ([0, 10), 5ms);
--> Time,count(root.empty.d.s),sum(root.empty.d.s),first_value(root.empty.d.s)
--> 0,0,,
--> 5,0,,
select count(s), sum(s), first_value(s) from root.empty.d;
--> count(root.empty.d.s),sum(root.empty.d.s),first_value(root.empty.d.s)
--> 0,,
select count(nothing) from root.ln.d group by ([0, 10), 5ms);
--> Time
-- Times as literals, and natural months in the zone of the connection.
insert into root.m.d(time, s) values (2020-10-31, 1), (2020-11-30, 2), (2020-12-01, 3), (2021-01-30, 4), (2021-01-31, 5), (2021-03-01, 6);
select count(s) from root.m.d group by ([2020-10-31, 2021-03-31), 1mo);
--> Time,count(root.m.d.s)
--> 1604102400000,1
--> 1606694400000,2
--> 1609372800000,1
--> 1612051200000,1
--> 1614470400000,1
select count(s) from root.m.d group by ([2020-10-31, 2021-03-31), 10d, 1mo);
--> Time,count(root.m.d.s)
--> 1604102400000,1
--> 1606694400000,2
--> 1609372800000,0
--> 1612051200000,1
--> 1614470400000,1
select count(s) from root.m.d group by ([2020-10-31, 2021-03-31), 1mo1d);
--! months cannot be mixed with other units
-- What is refused.
select count(s) from root.ln.d group by (5ms);
--! The query time range should be specified in the GROUP BY TIME clause
select count(s) from root.ln.d group by ([10, 10), 5ms);
--! Start time should be smaller than endTime in GroupBy
select count(s) from root.ln.d group by ([0, 10), 0ms);
--! should be greater than 0
select count(s) from root.ln.d group by ([0, 10), -1ms);
--! line 1, column 51
select s from root.ln.d group by ([0, 10), 5ms);
--! Common queries and aggregated queries are not allowed to appear at the same time
select s, count(s) from root.ln.d;
--! Raw data and aggregation hybrid query is not supported
select count(s) from root.ln.d where count(s) > 1;
--! aggregate functions are not supported in WHERE clause
select count(s) from root.ln.d group by ([0, 10), 5ms) having s > 1;
--! HAVING
