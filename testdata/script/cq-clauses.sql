-- What a continuous query may hold and may not, run.

\clock 2023-01-01T00:00:00Z
CREATE FUNCTION example AS 'org.apache.iotdb.udf.UDTFExample';
INSERT INTO root.in.a.d1(time, s) VALUES (2023-01-01T00:00:01Z, 1), (2023-01-01T00:00:02Z, 2), (2023-01-01T00:00:21Z, 3), (2023-01-01T00:00:31Z, 4);
INSERT INTO root.in.b.d1(time, s) VALUES (2023-01-01T00:00:02Z, 10), (2023-01-01T00:00:31Z, 40);

-- A function of the user in the body; a late period; levels; FILL; LIMIT; HAVING; WHERE.
CREATE CQ udf RESAMPLE EVERY 40s BEGIN SELECT example(a.d1.s, b.d1.s) INTO root.out.udf(v) FROM root.in END;
CREATE CQ level1 RESAMPLE EVERY 40s BEGIN SELECT sum(s) INTO root.out.level(l1) FROM root.in.** GROUP BY(10s), level=1 END;
CREATE CQ level2 RESAMPLE EVERY 40s BEGIN SELECT sum(s) INTO root.out.level(a, b) FROM root.in.** GROUP BY(10s, level=2) END;
CREATE CQ previous RESAMPLE EVERY 40s BEGIN SELECT max_value(s) INTO root.out.fill(previous) FROM root.in.a.d1 GROUP BY(10s) FILL(PREVIOUS) END;
CREATE CQ linear RESAMPLE EVERY 40s BEGIN SELECT max_value(s) INTO root.out.fill(linear) FROM root.in.a.d1 GROUP BY(10s) FILL LINEAR END;
CREATE CQ page RESAMPLE EVERY 40s BEGIN SELECT count(s) INTO root.out.page(n) FROM root.in.a.d1 GROUP BY(10s) LIMIT 1 OFFSET 1 END;
CREATE CQ having RESAMPLE EVERY 40s BEGIN SELECT count(s) INTO root.out.having(n) FROM root.in.a.d1 WHERE s > 1 GROUP BY(10s) HAVING count(s) > 0 END;
CREATE CQ session RESAMPLE EVERY 40s BEGIN SELECT count(s) INTO root.out.session(n) FROM root.in.a.d1 GROUP BY SESSION(5s) END;
CREATE CQ device RESAMPLE EVERY 40s BEGIN SELECT last_value(s) INTO root.out.::(last) FROM root.in.** GROUP BY(40s) ALIGN BY DEVICE END;
CREATE CQ months RESAMPLE EVERY 40s RANGE 31d BEGIN SELECT count(s) INTO root.out.months(n) FROM root.in.a.d1 GROUP BY(1mo) END;
\advance 40s
SELECT v FROM root.out.udf;
--> Time,root.out.udf.v
--> 1672531201000,1.0
--> 1672531202000,12.0
--> 1672531221000,3.0
--> 1672531231000,44.0
SELECT l1, a, b FROM root.out.level;
--> Time,root.out.level.l1,root.out.level.a,root.out.level.b
--> 1672531200000,13.0,3.0,10.0
--> 1672531220000,3.0,3.0,
--> 1672531230000,44.0,4.0,40.0
SELECT previous, linear FROM root.out.fill;
--> Time,root.out.fill.previous,root.out.fill.linear
--> 1672531200000,2.0,2.0
--> 1672531210000,2.0,2.5
--> 1672531220000,3.0,3.0
--> 1672531230000,4.0,4.0
SELECT n FROM root.out.page, root.out.having, root.out.session;
--> Time,root.out.page.n,root.out.having.n,root.out.session.n
--> 1672531170000,0,,
--> 1672531200000,,1,
--> 1672531201000,,,2
--> 1672531210000,0,,
--> 1672531220000,,1,
--> 1672531221000,,,1
--> 1672531230000,,1,
--> 1672531231000,,,1
SELECT last FROM root.out.** ALIGN BY DEVICE;
--> Time,Device,last
--> 1672531200000,root.out.a.d1,4.0
--> 1672531200000,root.out.b.d1,40.0

-- Conditions on time are refused wherever they stand.
CREATE CQ t RESAMPLE EVERY 40s BEGIN SELECT s INTO root.out.t(v) FROM root.in.a.d1 WHERE s > 1 AND time > 5 END;
--! time
CREATE CQ t RESAMPLE EVERY 40s BEGIN SELECT s INTO root.out.t(v) FROM root.in.a.d1 WHERE s > 1 OR NOT (time < 5) END;
--! time
CREATE CQ t RESAMPLE EVERY 40s BEGIN SELECT s INTO root.out.t(v) FROM root.in.a.d1 WHERE time + 1 > s END;
--! time
-- Lengths that are not greater than 0, or too short.
CREATE CQ t RESAMPLE EVERY 0s BEGIN SELECT s INTO root.out.t(v) FROM root.in.a.d1 END;
--! Every interval [0]
CREATE CQ t RESAMPLE EVERY 999ms BEGIN SELECT s INTO root.out.t(v) FROM root.in.a.d1 END;
--! every
CREATE CQ t RESAMPLE EVERY 1s RANGE 0s BEGIN SELECT s INTO root.out.t(v) FROM root.in.a.d1 END;
--! The start time offset should be greater than 0
CREATE CQ t BEGIN SELECT count(s) INTO root.out.t(v) FROM root.in.a.d1 GROUP BY(0s) END;
--! greater than 0
CREATE CQ t RESAMPLE EVERY 1s BEGIN SELECT s INTO root.out.t(v) FROM root.in.a.d1 END;
-- Names are case-sensitive, and taken once.
CREATE CQ T RESAMPLE EVERY 1s BEGIN SELECT s INTO root.out.t(w) FROM root.in.a.d1 END;
CREATE CQ t RESAMPLE EVERY 2s BEGIN SELECT s INTO root.out.t(x) FROM root.in.a.d1 END;
--! already been created
INSERT INTO root.in.a.d1(time, s) VALUES (2023-01-01T00:00:40.5Z, 5);
\advance 1s
SELECT v, w FROM root.out.t;
--> Time,root.out.t.v,root.out.t.w
--> 1672531240500,5.0,5.0
-- Nobody else may write what a query writes; what it wrote stays when it is dropped.
INSERT INTO root.out.t(time, v) VALUES (1, 1);
--! continuous query
DROP CQ t;
DROP CQ T;
INSERT INTO root.in.a.d1(time, s) VALUES (2023-01-01T00:00:41.5Z, 6);
\advance 10s
SELECT v, w FROM root.out.t;
--> Time,root.out.t.v,root.out.t.w
--> 1672531240500,5.0,5.0
CREATE CQ t RESAMPLE EVERY 10s BEGIN SELECT s INTO root.out.t(v) FROM root.in.a.d1 END;
INSERT INTO root.in.a.d1(time, s) VALUES (2023-01-01T00:00:55Z, 7);
\advance 10s
SELECT v FROM root.out.t;
--> Time,root.out.t.v
--> 1672531240500,5.0
--> 1672531255000,7.0

-- A start offset below the period: what lies between is never read.
DROP CQ t;
DROP CQ udf;
DROP CQ level1;
DROP CQ level2;
DROP CQ previous;
DROP CQ linear;
DROP CQ page;
DROP CQ having;
DROP CQ session;
DROP CQ device;
\clock 2023-01-02T00:00:00Z
INSERT INTO root.gap.d(time, s) VALUES (2023-01-02T00:00:05Z, 1), (2023-01-02T00:00:15Z, 2), (2023-01-02T00:00:25Z, 3), (2023-01-02T00:00:35Z, 4);
CREATE CQ gap RESAMPLE EVERY 20s RANGE 10s BEGIN SELECT s INTO root.gap.o(s) FROM root.gap.d END;
\advance 40s
SELECT s FROM root.gap.o;
--> Time,root.gap.o.s
--> 1672617615000,2.0
--> 1672617635000,4.0

-- Late data: a range that is longer than the period.
INSERT INTO root.late.d(time, s) VALUES (2023-01-02T00:00:41Z, 1);
CREATE CQ late RESAMPLE EVERY 10s RANGE 20s BEGIN SELECT sum(s) INTO root.late.o(n) FROM root.late.d GROUP BY(10s) END;
\advance 10s
SELECT n FROM root.late.o;
--> Time,root.late.o.n
--> 1672617640000,1.0
INSERT INTO root.late.d(time, s) VALUES (2023-01-02T00:00:42Z, 5);
\advance 10s
SELECT n FROM root.late.o;
--> Time,root.late.o.n
--> 1672617640000,6.0
