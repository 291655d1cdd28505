-- Null operands and COUNT_IF, with the data and results of IoTDB's tests.

CREATE TIMESERIES root.test.sg1.s1 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.test.sg1.s2 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.test.sg1.s3 WITH DATATYPE=BOOLEAN, ENCODING=PLAIN;
CREATE TIMESERIES root.test.sg1.s4 WITH DATATYPE=BOOLEAN, ENCODING=PLAIN;
CREATE TIMESERIES root.test.sg1.s5 WITH DATATYPE=TEXT, ENCODING=PLAIN;
INSERT INTO root.test.sg1(timestamp, s1, s3, s4) values (1, 1, true, false);
INSERT INTO root.test.sg1(timestamp, s1, s3) values (2, 2, true);
INSERT INTO root.test.sg1(timestamp, s1, s4) values (3, 3, false);
select s1+s2, s1-s2, s1*s2, s1/s2, s1%s2, s2%s2 from root.test.sg1;
--> Time,root.test.sg1.s1 + root.test.sg1.s2,root.test.sg1.s1 - root.test.sg1.s2,root.test.sg1.s1 * root.test.sg1.s2,root.test.sg1.s1 / root.test.sg1.s2,root.test.sg1.s1 % root.test.sg1.s2,root.test.sg1.s2 % root.test.sg1.s2
--> 1,,,,,,
--> 2,,,,,,
--> 3,,,,,,
select s1=s2, s1>s2, s1<s2, s5 like "test" , s2 in (1,2), s2 between 1 and 3 from root.test.sg1;
--> Time,root.test.sg1.s1 = root.test.sg1.s2,root.test.sg1.s1 > root.test.sg1.s2,root.test.sg1.s1 < root.test.sg1.s2,root.test.sg1.s5 LIKE '^test$',"root.test.sg1.s2 IN (1,2)",root.test.sg1.s2 BETWEEN 1 AND 3
--> 1,,,,,,
--> 2,,,,,,
--> 3,,,,,,
select s1,s2 is null, s2 is not null, s5 is null, s5 is not null from root.test.sg1;
--> Time,root.test.sg1.s1,root.test.sg1.s2 IS NULL,root.test.sg1.s2 IS NOT NULL,root.test.sg1.s5 IS NULL,root.test.sg1.s5 IS NOT NULL
--> 1,1,true,false,true,false
--> 2,2,true,false,true,false
--> 3,3,true,false,true,false
select s3||s3, s4&&s4, s3||s4, s3&&s4  from root.test.sg1;
--> Time,root.test.sg1.s3 | root.test.sg1.s3,root.test.sg1.s4 & root.test.sg1.s4,root.test.sg1.s3 | root.test.sg1.s4,root.test.sg1.s3 & root.test.sg1.s4
--> 1,true,false,true,false
--> 2,true,,true,
--> 3,,false,,false
select s1, s3, s4 from root.** where s2>0;
--> Time,root.test.sg1.s1,root.test.sg1.s3,root.test.sg1.s4
select s1, s3, s4 from root.** where s2 is not null;
--> Time,root.test.sg1.s1,root.test.sg1.s3,root.test.sg1.s4
select s1, s3, s4 from root.** where s2 is null && s5 is null;
--> Time,root.test.sg1.s1,root.test.sg1.s3,root.test.sg1.s4
--> 1,1,true,false
--> 2,2,true,
--> 3,3,,false
select s1, s3, s4 from root.** where s2 is null && s5 is null align by device;
--> Time,Device,s1,s3,s4
--> 1,root.test.sg1,1,true,false
--> 2,root.test.sg1,2,true,
--> 3,root.test.sg1,3,,false
select count(s1), count(s2) from root.** group by ([1,4),1ms) having count(s2)>0;
--> Time,count(root.test.sg1.s1),count(root.test.sg1.s2)
select count(s1), count(s2) from root.** group by ([1,4),1ms) having count(s2)>=0;
--> Time,count(root.test.sg1.s1),count(root.test.sg1.s2)
--> 1,1,0
--> 2,1,0
--> 3,1,0
select count(s1), count(s2) from root.** group by ([1,4),1ms) having count(s2)>=0 align by device;
--> Time,Device,count(s1),count(s2)
--> 1,root.test.sg1,1,0
--> 2,root.test.sg1,1,0
--> 3,root.test.sg1,1,0
DELETE TIMESERIES root.test.**;

CREATE TIMESERIES root.db.d1.s1 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d1.s2 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d1.s3 WITH DATATYPE=BOOLEAN, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d2.s1 WITH DATATYPE=INT32, ENCODING=PLAIN;
CREATE TIMESERIES root.db.d2.s2 WITH DATATYPE=INT32, ENCODING=PLAIN;
INSERT INTO root.db.d1(timestamp, s1, s2, s3) VALUES (1, 0, 0, true);
INSERT INTO root.db.d1(timestamp, s1, s2) VALUES
  (2, null, 0), (3, 0, 0), (4, 0, 0), (5, 1, 0), (6, 1, 0), (7, 1, 0), (8, 0, 0), (5000000000, 0, 0), (5000000001, 0, 0);
INSERT INTO root.db.d2(timestamp, s1, s2) VALUES
  (1, 0, 0), (2, null, 0), (5000000000, 0, 0), (5000000001, 0, 0);
select Count_if(s1=0 & s2=0, 3, 'ignoreNull'='true'), Count_if(s1=1 & s2=0, 3) from root.db.d1;
--> "Count_if(root.db.d1.s1 = 0 & root.db.d1.s2 = 0, 3, ""ignoreNull""=""true"")","Count_if(root.db.d1.s1 = 1 & root.db.d1.s2 = 0, 3)"
--> 2,1
select Count_if(s1=0 & s2=0, keep>=3, 'ignoreNull'='true'), Count_if(s1=1 & s2=0, keep>=3) from root.db.d1;
--> "Count_if(root.db.d1.s1 = 0 & root.db.d1.s2 = 0, keep >= 3, ""ignoreNull""=""true"")","Count_if(root.db.d1.s1 = 1 & root.db.d1.s2 = 0, keep >= 3)"
--> 2,1
select Count_if(s1=0 & s2=0, keep<3, 'ignoreNull'='true'), Count_if(s1=1 & s2=0, keep<3) from root.db.d1;
--> "Count_if(root.db.d1.s1 = 0 & root.db.d1.s2 = 0, keep < 3, ""ignoreNull""=""true"")","Count_if(root.db.d1.s1 = 1 & root.db.d1.s2 = 0, keep < 3)"
--> 0,0
select Count_if(s1=0 & s2=0, 3, 'ignoreNull'='false'), Count_if(s1=1 & s2=0, 3, 'ignoreNull'='false') from root.db.d1;
--> "Count_if(root.db.d1.s1 = 0 & root.db.d1.s2 = 0, 3, ""ignoreNull""=""false"")","Count_if(root.db.d1.s1 = 1 & root.db.d1.s2 = 0, 3, ""ignoreNull""=""false"")"
--> 1,1
select Count_if(s1=0 & s2=0, keep>=3, 'ignoreNull'='false'), Count_if(s1=1 & s2=0, keep>=3, 'ignoreNull'='false') from root.db.d1;
--> "Count_if(root.db.d1.s1 = 0 & root.db.d1.s2 = 0, keep >= 3, ""ignoreNull""=""false"")","Count_if(root.db.d1.s1 = 1 & root.db.d1.s2 = 0, keep >= 3, ""ignoreNull""=""false"")"
--> 1,1
select Count_if(s1=0 & s2=0, keep<3, 'ignoreNull'='false'), Count_if(s1=1 & s2=0, keep<3, 'ignoreNull'='false') from root.db.d1;
--> "Count_if(root.db.d1.s1 = 0 & root.db.d1.s2 = 0, keep < 3, ""ignoreNull""=""false"")","Count_if(root.db.d1.s1 = 1 & root.db.d1.s2 = 0, keep < 3, ""ignoreNull""=""false"")"
--> 2,0
select Count_if(s1=0 & s2=0, 3, 'ignoreNull'='true'), Count_if(s1=1 & s2=0, 3) from root.db.* align by device;
--> Device,"Count_if(s1 = 0 & s2 = 0, 3, ""ignoreNull""=""true"")","Count_if(s1 = 1 & s2 = 0, 3)"
--> root.db.d1,2,1
--> root.db.d2,1,0
select Count_if(s1=0 & s2=0, 3, 'ignoreNull'='true') from root.db.d1 having Count_if(s1=1 & s2=0, 3) > 1;
--> "Count_if(root.db.d1.s1 = 0 & root.db.d1.s2 = 0, 3, ""ignoreNull""=""true"")"
select Count_if(s1=0 & s2=0, 3, 'ignoreNull'='true') from root.db.d1 having Count_if(s1=1 & s2=0, 3) > 0;
--> "Count_if(root.db.d1.s1 = 0 & root.db.d1.s2 = 0, 3, ""ignoreNull""=""true"")"
--> 2
select Count_if(s1=0 & s2=0, 3, 'ignoreNull'='true') from root.db.d1 having Count_if(s1=1 & s2=0, 3) > 0 align by device;
--> Device,"Count_if(s1 = 0 & s2 = 0, 3, ""ignoreNull""=""true"")"
--> root.db.d1,2
select Count_if(s3, 1) from root.db.d1;
--> "Count_if(root.db.d1.s3, 1)"
--> 1
select Count_if(s3, 1, "attr1"="1","attr2"="2","attr3"="3") from root.db.d1;
--> "Count_if(root.db.d1.s3, 1, ""attr1""=""1"", ""attr2""=""2"", ""attr3""=""3"")"
--> 1
select Count_if(s1=0 & s2=0, 3) from root.db.* group by level = 1;
--> "Count_if(root.db.*.s1 = 0 & root.db.*.s2 = 0, 3)"
--> 4
select Count_if(s1=0 & s2=0, keep>=3) from root.db.* group by level = 1;
--> "Count_if(root.db.*.s1 = 0 & root.db.*.s2 = 0, keep >= 3)"
--> 4
select Count_if(s1=0 & s2=0, 3) from root.db.* group by level = 2;
--> "Count_if(root.*.d1.s1 = 0 & root.*.d1.s2 = 0, 3)","Count_if(root.*.d1.s1 = 0 & root.*.d2.s2 = 0, 3)","Count_if(root.*.d2.s1 = 0 & root.*.d1.s2 = 0, 3)","Count_if(root.*.d2.s1 = 0 & root.*.d2.s2 = 0, 3)"
--> 2,0,1,1
select Count_if(s1=0 & s2=0, keep>=3) from root.db.* group by level = 2;
--> "Count_if(root.*.d1.s1 = 0 & root.*.d1.s2 = 0, keep >= 3)","Count_if(root.*.d1.s1 = 0 & root.*.d2.s2 = 0, keep >= 3)","Count_if(root.*.d2.s1 = 0 & root.*.d1.s2 = 0, keep >= 3)","Count_if(root.*.d2.s1 = 0 & root.*.d2.s2 = 0, keep >= 3)"
--> 2,0,1,1
-- IoTDB refuses COUNT_IF with windows that overlap.
select count_if(s1>1,1) from root.db.d1 group by time([1,10),3ms,2ms);
--> Time,"count_if(root.db.d1.s1 > 1, 1)"
--> 1,0
--> 3,0
--> 5,0
--> 7,0
--> 9,0
