-- Continuous queries beside cq1 to cq5 of the page, which are in cq-page.sql.

\clock 2023-01-01T00:00:00Z
INSERT INTO root.sg.d(time, s1) VALUES (2023-01-01T00:01:00Z, 1), (2023-01-01T00:02:00Z, 2), (2023-01-01T00:31:00Z, 3);

-- The page: a continuous query in place of a sub-query. INTO without brackets.
SELECT avg(count_s1) from (select count(s1) as count_s1 from root.sg.d group by([0, now()), 30m));
--! line 1, column 27: sub-queries are not supported
CREATE CQ s1_count_cq
BEGIN
SELECT count(s1)
INTO root.sg_count.d.count_s1
FROM root.sg.d
GROUP BY(30m)
END;
SHOW CONTINUOUS QUERIES;
--> CQId,Query,State
--> s1_count_cq,"CREATE CQ s1_count_cq
--> BEGIN
--> SELECT count(s1)
--> INTO root.sg_count.d.count_s1
--> FROM root.sg.d
--> GROUP BY(30m)
--> END",ACTIVE
\advance 60m
SELECT count_s1 from root.sg_count.d;
--> Time,root.sg_count.d.count_s1
--> 1672529400000,0
--> 1672531200000,2
--> 1672533000000,1
SELECT avg(count_s1) from root.sg_count.d;
--> avg(root.sg_count.d.count_s1)
--> 1.0
DROP CONTINUOUS QUERY s1_count_cq;
SHOW CQS;
--> CQId,Query,State
DROP CQ s1_count_cq;
--! does not exist

-- The others are sorted by name, with their text as it was given.
CREATE CQ `z 1` RESAMPLE EVERY 1h BEGIN SELECT s1 + 1 INTO root.z.d(v) FROM root.sg.d END;
CREATE   CONTINUOUS query a  -- a comment
  RESAMPLE EVERY 1h BOUNDARY 0 RANGE 2h, 1h TIMEOUT POLICY DISCARD
BEGIN SELECT count(s1) INTO ::, root.y.d(${1}) FROM root.sg.d GROUP BY(1h) END;
--! expected a target that begins with root
CREATE   CONTINUOUS query a  -- a comment
  RESAMPLE EVERY 1h BOUNDARY 0 RANGE 2h, 1h TIMEOUT POLICY DISCARD
BEGIN SELECT count(s1) INTO root.y.d(n) FROM root.sg.d GROUP BY(1h) END;
SHOW CQS;
--> CQId,Query,State
--> a,"CREATE   CONTINUOUS query a  -- a comment
-->   RESAMPLE EVERY 1h BOUNDARY 0 RANGE 2h, 1h TIMEOUT POLICY DISCARD
--> BEGIN SELECT count(s1) INTO root.y.d(n) FROM root.sg.d GROUP BY(1h) END",ACTIVE
--> z 1,CREATE CQ `z 1` RESAMPLE EVERY 1h BEGIN SELECT s1 + 1 INTO root.z.d(v) FROM root.sg.d END,ACTIVE
SHOW CREATE CQ a;
--> CQId,Query
--> a,"CREATE   CONTINUOUS query a  -- a comment
-->   RESAMPLE EVERY 1h BOUNDARY 0 RANGE 2h, 1h TIMEOUT POLICY DISCARD
--> BEGIN SELECT count(s1) INTO root.y.d(n) FROM root.sg.d GROUP BY(1h) END"
CREATE CQ a RESAMPLE EVERY 1h BEGIN SELECT s1 INTO root.z.d(w) FROM root.sg.d END;
--! already been created
DROP CQ a;
DROP CQ `z 1`;

-- What is refused, in the order of the checks.
CREATE CQ c BEGIN SELECT s1 INTO root.o.d(v) FROM root.sg.d END;
--! At least one of the parameters `every_interval` and `group_by_interval` needs to be specified
CREATE CQ c RESAMPLE EVERY 50ms BEGIN SELECT count(s1) INTO root.o.d(v) FROM root.sg.d GROUP BY(1s) END;
--! every
CREATE CQ c RESAMPLE RANGE 0ms BEGIN SELECT count(s1) INTO root.o.d(v) FROM root.sg.d GROUP BY(1s) END;
--! The start time offset should be greater than 0
CREATE CQ c RESAMPLE RANGE -1s BEGIN SELECT count(s1) INTO root.o.d(v) FROM root.sg.d GROUP BY(1s) END;
--! line 1, column 28
CREATE CQ c RESAMPLE RANGE 1s, 1s BEGIN SELECT count(s1) INTO root.o.d(v) FROM root.sg.d GROUP BY(1s) END;
--! The start time offset should be greater than end time offset
CREATE CQ c RESAMPLE EVERY 1h BEGIN SELECT count(s1) FROM root.sg.d GROUP BY(1h) END;
--! misses an INTO clause
CREATE CQ c RESAMPLE EVERY 1h BEGIN SELECT count(s1) INTO root.o.d(v) FROM root.sg.d GROUP BY([0, 10), 1h) END;
--! Specifying time range in GROUP BY TIME clause is prohibited
CREATE CQ c RESAMPLE EVERY 1h BEGIN SELECT count(s1) INTO root.o.d(v) FROM root.sg.d WHERE time > now() - 1h GROUP BY(1h) END;
--! specifying time filters in the query body is prohibited
CREATE CQ c RESAMPLE RANGE 30m BEGIN SELECT count(s1) INTO root.o.d(v) FROM root.sg.d GROUP BY(1h) END;
--! group
CREATE CQ c RESAMPLE EVERY 1h BEGIN SELECT count(s1) INTO root.o.d(v, w) FROM root.sg.d GROUP BY(1h) END;
--! number of source columns and the number of target paths should be the same
CREATE CQ c RESAMPLE EVERY 1h BEGIN SELECT nosuch(s1) INTO root.o.d(v) FROM root.sg.d END;
--! function "nosuch"
SHOW CQS;
--> CQId,Query,State

-- What is not: a start offset less than the period leaves gaps; series that are not there yet.
CREATE CQ gaps RESAMPLE EVERY 1h RANGE 30m BEGIN SELECT count(s1) INTO root.o.d(v) FROM root.sg.d GROUP BY(30m) END;
CREATE CQ later RESAMPLE EVERY 1h BEGIN SELECT count(s1) INTO root.o.later(v) FROM root.later.d GROUP BY(30m) END;
CREATE CQ every RESAMPLE BEGIN SELECT count(s1) INTO root.o.every(v) FROM root.sg.d GROUP BY(30m) END;
SHOW CQS;
--> CQId,Query,State
--> every,CREATE CQ every RESAMPLE BEGIN SELECT count(s1) INTO root.o.every(v) FROM root.sg.d GROUP BY(30m) END,ACTIVE
--> gaps,CREATE CQ gaps RESAMPLE EVERY 1h RANGE 30m BEGIN SELECT count(s1) INTO root.o.d(v) FROM root.sg.d GROUP BY(30m) END,ACTIVE
--> later,CREATE CQ later RESAMPLE EVERY 1h BEGIN SELECT count(s1) INTO root.o.later(v) FROM root.later.d GROUP BY(30m) END,ACTIVE
