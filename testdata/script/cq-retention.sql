-- Raw points for a day, one a minute for a month: a continuous query between two databases of unlike times to live.

\clock 2023-01-02T00:01:00Z
SET TTL TO root.raw 86400000;
SET TTL TO root.down 30d;
INSERT INTO root.raw.d(time, s) VALUES (2023-01-02T00:01:01Z, 1), (2023-01-02T00:01:02Z, 3);
CREATE CQ down RESAMPLE EVERY 1m BEGIN SELECT avg(s) INTO root.down.::(s) FROM root.raw.d GROUP BY(1m) ALIGN BY DEVICE END;
\advance 1m
SELECT s FROM root.raw.d, root.down.d;
--> Time,root.raw.d.s,root.down.d.s
--> 1672617660000,,2.0
--> 1672617661000,1.0,
--> 1672617662000,3.0,
DROP CQ down;
\advance 23h59m1500ms
INSERT INTO root.raw.d(time, s) VALUES (2023-01-03T00:01:01.500Z, 4);
SELECT s FROM root.raw.d, root.down.d;
--> Time,root.raw.d.s,root.down.d.s
--> 1672617660000,,2.0
--> 1672617662000,3.0,
--> 1672704061500,4.0,
