-- Null operands, three-valued logic, null rows.

CREATE TIMESERIES root.n.d.s1 WITH DATATYPE=INT32;
CREATE TIMESERIES root.n.d.s2 WITH DATATYPE=INT32;
CREATE TIMESERIES root.n.d.b1 WITH DATATYPE=BOOLEAN;
CREATE TIMESERIES root.n.d.b2 WITH DATATYPE=BOOLEAN;
insert into root.n.d(time, s1, s2, b1, b2) values (1, 1, 1, true, true), (2, 2, null, true, null), (3, null, 3, null, false), (4, null, null, false, null);
select s1 + s2, s1 - s2, s1 * s2, s1 / s2, s1 % s2, -s1 from root.n.d;
--> Time,root.n.d.s1 + root.n.d.s2,root.n.d.s1 - root.n.d.s2,root.n.d.s1 * root.n.d.s2,root.n.d.s1 / root.n.d.s2,root.n.d.s1 % root.n.d.s2,-root.n.d.s1
--> 1,2.0,0.0,1.0,1.0,0.0,-1.0
--> 2,,,,,,-2.0
--> 3,,,,,,
select s1 = s2, s1 != s2, s1 < s2, s1 >= s2 from root.n.d;
--> Time,root.n.d.s1 = root.n.d.s2,root.n.d.s1 != root.n.d.s2,root.n.d.s1 < root.n.d.s2,root.n.d.s1 >= root.n.d.s2
--> 1,true,false,false,true
--> 2,,,,
--> 3,,,,
select b1 and b2, b1 or b2, !b1, b1 & b2 | b1 from root.n.d;
--> Time,root.n.d.b1 & root.n.d.b2,root.n.d.b1 | root.n.d.b2,!root.n.d.b1,root.n.d.b1 & root.n.d.b2 | root.n.d.b1
--> 1,true,true,false,true
--> 2,,true,false,true
--> 3,false,,,
--> 4,false,,true,false
select s1 is null, s2 is not null, b1 is null from root.n.d;
--> Time,root.n.d.s1 IS NULL,root.n.d.s2 IS NOT NULL,root.n.d.b1 IS NULL
--> 1,false,true,false
--> 2,false,false,false
--> 3,true,true,true
--> 4,true,false,false
select s1 in (1, 2), s1 not in (2), s1 between 1 and 1, s1 not between 1 and 1 from root.n.d;
--> Time,"root.n.d.s1 IN (1,2)",root.n.d.s1 NOT IN (2),root.n.d.s1 BETWEEN 1 AND 1,root.n.d.s1 NOT BETWEEN 1 AND 1
--> 1,true,true,true,false
--> 2,true,false,false,true
-- WHERE and HAVING keep rows that are true.
select s1 from root.n.d where s2 > 0;
--> Time,root.n.d.s1
--> 1,1
--> 3,
select s1, s2 from root.n.d where s1 is null;
--> Time,root.n.d.s1,root.n.d.s2
--> 3,,3
select s1, s2 from root.n.d where not b1;
--> Time,root.n.d.s1,root.n.d.s2
--> 4,,
select s1 from root.n.d where b1;
--> Time,root.n.d.s1
--> 1,1
--> 2,2
select s1 from root.n.d where b1 or b2;
--> Time,root.n.d.s1
--> 1,1
--> 2,2
select count(s1) from root.n.d group by ([1, 5), 1ms) having count(s1) > 0;
--> Time,count(root.n.d.s1)
--> 1,1
--> 2,1
select sum(s1) from root.n.d group by ([1, 5), 1ms) having sum(s1) is null;
--> Time,sum(root.n.d.s1)
--> 3,
--> 4,
-- A series that does not exist: no column in SELECT, null in WHERE.
select s1, s9 from root.n.d;
--> Time,root.n.d.s1
--> 1,1
--> 2,2
select s9 from root.n.d;
--> Time
select s1 from root.n.d where s9 = 1;
--> Time,root.n.d.s1
select s1 from root.n.d where s9 is null and s1 = 1;
--> Time,root.n.d.s1
--> 1,1
-- Rows that are all null stay with expressions of a row, and go with functions over rows.
select s1 + 1 from root.n.d;
--> Time,root.n.d.s1 + 1
--> 1,2.0
--> 2,3.0
select diff(s1) from root.n.d;
--> Time,diff(root.n.d.s1)
--> 1,
--> 2,1.0
select difference(s1) from root.n.d;
--> Time,difference(root.n.d.s1)
--> 2,1
select s1 + 1, difference(s1) from root.n.d;
--> Time,root.n.d.s1 + 1,difference(root.n.d.s1)
--> 1,2.0,
--> 2,3.0,1
-- WHERE must be a condition.
select s1 from root.n.d where s1 + 1;
--! The output type of the expression in WHERE clause should be BOOLEAN, actual data type: DOUBLE
select count(s1) from root.n.d group by ([1, 5), 1ms) having sum(s1) + 1;
--! The output type of the expression in HAVING clause should be BOOLEAN, actual data type: DOUBLE
select s1 + b1 from root.n.d;
--! Invalid input expression data type
select b1 > 1 from root.n.d;
--! Invalid input expression data type
