-- Expressions: operators, precedence, headers, CASE, CAST, text, time.

CREATE TIMESERIES root.e.d.i WITH DATATYPE=INT32;
CREATE TIMESERIES root.e.d.l WITH DATATYPE=INT64;
CREATE TIMESERIES root.e.d.f WITH DATATYPE=FLOAT;
CREATE TIMESERIES root.e.d.d WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.e.d.b WITH DATATYPE=BOOLEAN;
CREATE TIMESERIES root.e.d.t WITH DATATYPE=TEXT;
insert into root.e.d(time, i, l, f, d, b, t) values (1, 1, 10, 1.5, 2.7, true, 'abc'), (2, -3, 20, 0, -0.5, false, 'a%c_d'), (3, 7, 9007199254740993, 3.33, 1e10, true, '12');

select i + l, i - l, i * f, l / f, l % 3 from root.e.d;
--> Time,root.e.d.i + root.e.d.l,root.e.d.i - root.e.d.l,root.e.d.i * root.e.d.f,root.e.d.l / root.e.d.f,root.e.d.l % 3
--> 1,11.0,-9.0,1.5,6.666666666666667,1.0
--> 2,17.0,-23.0,-0.0,Infinity,2.0
--> 3,9.007199254741E15,-9.007199254740985E15,23.309999465942383,2.7048647030347725E15,2.0
select i / 0, -i / 0, f % 0 from root.e.d;
--> Time,root.e.d.i / 0,-root.e.d.i / 0,root.e.d.f % 0
--> 1,Infinity,-Infinity,NaN
--> 2,-Infinity,Infinity,NaN
--> 3,Infinity,-Infinity,NaN
select i + l * 2, (i + l) * 2, i - (l - 1), i - l - 1, -(i + 1), -i + 1, +i from root.e.d;
--> Time,root.e.d.i + root.e.d.l * 2,(root.e.d.i + root.e.d.l) * 2,root.e.d.i - root.e.d.l - 1,root.e.d.i - root.e.d.l - 1,-(root.e.d.i + 1),-root.e.d.i + 1,root.e.d.i
--> 1,21.0,22.0,-8.0,-10.0,-2.0,0.0,1
--> 2,37.0,34.0,-22.0,-24.0,2.0,4.0,-3
--> 3,1.801439850948199E16,1.8014398509482E16,-9.007199254740984E15,-9.007199254740986E15,-8.0,-6.0,7
select !(i > 1), not i > 1 and b, i > 1 && l > 1 || b from root.e.d;
--> Time,!(root.e.d.i > 1),!(root.e.d.i > 1) & root.e.d.b,root.e.d.i > 1 & root.e.d.l > 1 | root.e.d.b
--> 1,true,true,true
--> 2,true,false,false
--> 3,false,false,true
select i == 1, i <> 1, i != 1, i > 0 = b from root.e.d;
--> Time,root.e.d.i = 1,root.e.d.i != 1,root.e.d.i != 1,root.e.d.i > 0 = root.e.d.b
--> 1,true,false,false,true
--> 2,false,true,true,true
--> 3,false,true,true,true
select 1 + 2 * i, i * 2 ^ 1 from root.e.d;
--! line 1, column 25: the character "^" has no meaning here
select i*2, i *l, i* -1 from root.e.d;
--> Time,root.e.d.i * 2,root.e.d.i * root.e.d.l,root.e.d.i * -1
--> 1,2.0,10.0,-1.0
--> 2,-6.0,-60.0,3.0
--> 3,14.0,6.305039478318694E16,-7.0
select i in (1, 7), l not in (10), t in ('abc', 'x'), i contains (1) from root.e.d;
--> Time,"root.e.d.i IN (1,7)",root.e.d.l NOT IN (10),"root.e.d.t IN ('abc','x')",root.e.d.i IN (1)
--> 1,true,false,true,true
--> 2,false,true,false,false
--> 3,true,true,false,false
select i between 1 and 6, not(i between 1 and 6), d not between -1 and 3 from root.e.d;
--> Time,root.e.d.i BETWEEN 1 AND 6,!(root.e.d.i BETWEEN 1 AND 6),root.e.d.d NOT BETWEEN -1 AND 3
--> 1,true,false,false
--> 2,false,true,false
--> 3,false,true,true
select t like 'a%', t like '_bc', t like 'a\%c\_d', t not like '%c', t regexp '^a', t not regexp '[0-9]' from root.e.d;
--> Time,root.e.d.t LIKE '^a.*?$',root.e.d.t LIKE '^.bc$',root.e.d.t LIKE '^a%c_d$',root.e.d.t NOT LIKE '^.*?c$',root.e.d.t REGEXP '^a',root.e.d.t NOT REGEXP '[0-9]'
--> 1,true,true,false,false,true,true
--> 2,true,false,true,true,true,true
--> 3,false,false,false,true,false,false
select i from root.e.d where t like 'a%' and i > 0;
--> Time,root.e.d.i
--> 1,1
select i from root.e.d where t = "abc" or t > 'a%b';
--> Time,root.e.d.i
--> 1,1
--> 2,-3
select i is null or i > 1 from root.e.d;
--> Time,root.e.d.i IS NULL | root.e.d.i > 1
--> 1,false
--> 2,false
--> 3,true
-- Constants alone are no column.
select 1 from root.e.d;
--! constant column is not supported
select i, 1 + 1 from root.e.d;
--! constant column is not supported
-- CASE.
select case when i > 5 then 'big' when i > 0 then 'small' else 'negative' end from root.e.d;
--> Time,CASE WHEN root.e.d.i > 5 THEN 'big' WHEN root.e.d.i > 0 THEN 'small' ELSE 'negative' END
--> 1,small
--> 2,negative
--> 3,big
select case when i > 5 then i end from root.e.d;
--> Time,CASE WHEN root.e.d.i > 5 THEN root.e.d.i END
--> 1,
--> 2,
--> 3,7.0
select case i when 1 then 10 when 7 then 70 else 0 end as c from root.e.d;
--> Time,c
--> 1,10.0
--> 2,0.0
--> 3,70.0
select case when b then true else false end, case when i > 0 then l + 1 else d end from root.e.d;
--> Time,CASE WHEN root.e.d.b THEN true ELSE false END,CASE WHEN root.e.d.i > 0 THEN root.e.d.l + 1 ELSE root.e.d.d END
--> 1,true,11.0
--> 2,false,-0.5
--> 3,true,9.007199254740992E15
select case when i > 0 then 1 else 'x' end from root.e.d;
--! CASE expression
select case when i then 1 end from root.e.d;
--! must return BOOLEAN
select case i end from root.e.d;
--! expected WHEN
-- CAST.
select cast(d as INT32), cast(f as INT64), cast(i as BOOLEAN), cast(b as INT32), cast(f as DOUBLE), cast(i as TEXT) from root.e.d where time < 3;
--> Time,CAST(root.e.d.d AS INT32),CAST(root.e.d.f AS INT64),CAST(root.e.d.i AS BOOLEAN),CAST(root.e.d.b AS INT32),CAST(root.e.d.f AS DOUBLE),CAST(root.e.d.i AS TEXT)
--> 1,3,2,true,1,1.5,1
--> 2,0,0,true,0,0.0,-3
select cast(d, 'type'='FLOAT'), CAST(b AS TEXT), cast(f as text) from root.e.d;
--> Time,CAST(root.e.d.d AS FLOAT),CAST(root.e.d.b AS TEXT),CAST(root.e.d.f AS TEXT)
--> 1,2.7,true,1.5
--> 2,-0.5,false,0.0
--> 3,1.0E10,true,3.33
select cast(t as INT32) from root.e.d where time = 3;
--> Time,CAST(root.e.d.t AS INT32)
--> 3,12
select cast(t as INT32) from root.e.d;
--! "abc" is no value of INT32
select cast(d as INT32) from root.e.d;
--! no value of INT32
select cast(i as STRING) from root.e.d;
--! expected BOOLEAN, INT32, INT64, FLOAT, DOUBLE or TEXT
-- Text functions.
select length(t), upper(t), concat(t, 'target1'='-', 'series_behind'='true'), substring(t, 1, 2), substring(t from 2 for 1), replace(t, 'a', 'X') from root.e.d;
--> Time,length(root.e.d.t),upper(root.e.d.t),"concat(root.e.d.t, ""target1""=""-"", ""series_behind""=""true"")","substring(root.e.d.t, 1, 2)","substring(root.e.d.t, 2, 1)","replace(root.e.d.t, 'a', 'X')"
--> 1,3,ABC,-abc,ab,b,Xbc
--> 2,5,A%C_D,-a%c_d,a%,%,X%c_d
--> 3,2,12,-12,12,2,12
select string_contains(t, 's'='c'), string_matches(t, 'regex'='[a-c]+'), locate(t, 'target'='c'), startswith(t, 'target'='a'), endswith(t, 'target'='d'), strcmp(t, t) from root.e.d;
--> Time,"string_contains(root.e.d.t, ""s""=""c"")","string_matches(root.e.d.t, ""regex""=""[a-c]+"")","locate(root.e.d.t, ""target""=""c"")","startswith(root.e.d.t, ""target""=""a"")","endswith(root.e.d.t, ""target""=""d"")","strcmp(root.e.d.t, root.e.d.t)"
--> 1,true,true,2,true,false,0
--> 2,true,false,2,true,true,0
--> 3,false,false,-1,false,false,0
-- The time of the row is an operand.
select time, time + 1, i from root.e.d;
--> Time,Time,Time + 1,root.e.d.i
--> 1,1,2.0,1
--> 2,2,3.0,-3
--> 3,3,4.0,7
select time + i from root.e.d;
--> Time,Time + root.e.d.i
--> 1,2.0
--> 2,-1.0
--> 3,10.0
select i from root.e.d where time > 1 and time <= 3;
--> Time,root.e.d.i
--> 2,-3
--> 3,7
select i from root.e.d where timestamp = 2;
--> Time,root.e.d.i
--> 2,-3
select i from root.e.d where time >= 1970-01-01T00:00:00.002Z;
--> Time,root.e.d.i
--> 2,-3
--> 3,7
select i from root.e.d where time in (1, 3);
--> Time,root.e.d.i
--> 1,1
--> 3,7
select i from root.e.d where time between 2 and 3;
--> Time,root.e.d.i
--> 2,-3
--> 3,7
select i from root.e.d where time % 2 = 1;
--> Time,root.e.d.i
--> 1,1
--> 3,7
select i from root.e.d where 2 < time;
--> Time,root.e.d.i
--> 3,7
select i from root.e.d where time = 1 or time = 3;
--> Time,root.e.d.i
--> 1,1
--> 3,7
select i from root.e.d where not time = 2;
--> Time,root.e.d.i
--> 1,1
--> 3,7
-- Function names in any case, as they were typed.
select SIN(i), Abs(i), round(f, 1), ROUND(d), sqrt(l) from root.e.d;
--> Time,SIN(root.e.d.i),Abs(root.e.d.i),"round(root.e.d.f, 1)",ROUND(root.e.d.d),sqrt(root.e.d.l)
--> 1,0.8414709848078965,1,1.5,3.0,3.1622776601683795
--> 2,-0.1411200080598672,3,0.0,-0.0,4.47213595499958
--> 3,0.6569865987187891,7,3.3,1.0E10,9.490626562425156E7
select in_range(i, 'lower'='0', 'upper'='5'), on_off(f, 'threshold'='1.5') from root.e.d;
--> Time,"in_range(root.e.d.i, ""lower""=""0"", ""upper""=""5"")","on_off(root.e.d.f, ""threshold""=""1.5"")"
--> 1,true,true
--> 2,false,false
--> 3,false,true
select nosuch(i) from root.e.d;
--! function "nosuch" is neither built in nor registered
select sin(t) from root.e.d;
--! expected: [INT32, INT64, FLOAT, DOUBLE]. actual: TEXT
select top_k(i, 'k'='2'), bottom_k(i, 'k'='1') from root.e.d;
--> Time,"top_k(root.e.d.i, ""k""=""2"")","bottom_k(root.e.d.i, ""k""=""1"")"
--> 1,1,
--> 2,,-3
--> 3,7,
select top_k(i, 'k'='0') from root.e.d;
--! k has to be greater than 0 and less than or equal to 1000
select top_k(i, k=1) from root.e.d;
--! attributes of functions should be quoted with '' or ""
select top_k(i, 'k'=2) from root.e.d;
--! attributes of functions should be quoted
select top_k(i, k='2') from root.e.d;
--! attributes of functions should be quoted
select top_k(i, "k"="1") from root.e.d;
--> Time,"top_k(root.e.d.i, ""k""=""1"")"
--> 3,7
select f(i, 'k'='v', l) from root.e.d;
--! attributes come after all series
