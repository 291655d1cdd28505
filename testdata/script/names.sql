-- Names: backquotes, keywords, wildcards, comments, several statements.

insert into root.`a.b`.`c d`(time, `e-f`, `g``h`, `1`, select1, `select`, 1st, 温度) values (1, 1, 2, 3, 4, 5, 6, 7);
show timeseries root.**;
--> Timeseries,Alias,Database,DataType,Encoding,Compression,Tags,Attributes,Deadband,DeadbandParameters,ViewType
--> root.`a.b`.`c d`.1st,,root.`a.b`,FLOAT,,,,,,,BASE
--> root.`a.b`.`c d`.`1`,,root.`a.b`,FLOAT,,,,,,,BASE
--> root.`a.b`.`c d`.`e-f`,,root.`a.b`,FLOAT,,,,,,,BASE
--> root.`a.b`.`c d`.`g``h`,,root.`a.b`,FLOAT,,,,,,,BASE
--> root.`a.b`.`c d`.select,,root.`a.b`,FLOAT,,,,,,,BASE
--> root.`a.b`.`c d`.select1,,root.`a.b`,FLOAT,,,,,,,BASE
--> root.`a.b`.`c d`.温度,,root.`a.b`,FLOAT,,,,,,,BASE
select `e-f`, `g``h`, `1`, select1, `select`, 1st, 温度 from root.`a.b`.`c d`;
--> Time,root.`a.b`.`c d`.`e-f`,root.`a.b`.`c d`.`g``h`,root.`a.b`.`c d`.`1`,root.`a.b`.`c d`.select1,root.`a.b`.`c d`.select,root.`a.b`.`c d`.1st,root.`a.b`.`c d`.温度
--> 1,1.0,2.0,3.0,4.0,5.0,6.0,7.0
select `e-f` + `1` as `sum of two` from root.`a.b`.`c d`;
--> Time,sum of two
--> 1,4.0
select * from root.`a.b`.*;
--> Time,root.`a.b`.`c d`.`e-f`,root.`a.b`.`c d`.`g``h`,root.`a.b`.`c d`.`1`,root.`a.b`.`c d`.select1,root.`a.b`.`c d`.select,root.`a.b`.`c d`.1st,root.`a.b`.`c d`.温度
--> 1,1.0,2.0,3.0,4.0,5.0,6.0,7.0
select * from root.*.`c d`;
--> Time,root.`a.b`.`c d`.`e-f`,root.`a.b`.`c d`.`g``h`,root.`a.b`.`c d`.`1`,root.`a.b`.`c d`.select1,root.`a.b`.`c d`.select,root.`a.b`.`c d`.1st,root.`a.b`.`c d`.温度
--> 1,1.0,2.0,3.0,4.0,5.0,6.0,7.0
insert into root.sg.d1(time, s1) values (1, 1);
insert into root.sg.d10(time, s1, s2) values (1, 10, 20);
insert into root.sg.x1(time, s1) values (1, 100);
insert into root.sg.deep.d1(time, s1) values (1, 1000);
-- * is one node, ** one or more; a part of a node may be a wildcard.
select s1 from root.sg.*;
--> Time,root.sg.d1.s1,root.sg.d10.s1,root.sg.x1.s1
--> 1,1.0,10.0,100.0
select s1 from root.sg.**;
--> Time,root.sg.d1.s1,root.sg.d10.s1,root.sg.x1.s1,root.sg.deep.d1.s1
--> 1,1.0,10.0,100.0,1000.0
select s1 from root.**;
--> Time,root.sg.d1.s1,root.sg.d10.s1,root.sg.x1.s1,root.sg.deep.d1.s1
--> 1,1.0,10.0,100.0,1000.0
select s1 from root.sg.d*;
--> Time,root.sg.d1.s1,root.sg.d10.s1
--> 1,1.0,10.0
select s1 from root.sg.*1;
--> Time,root.sg.d1.s1,root.sg.x1.s1
--> 1,1.0,100.0
select s1 from root.*.*1*;
--> Time,root.sg.d1.s1,root.sg.d10.s1,root.sg.x1.s1
--> 1,1.0,10.0,100.0
select s* from root.sg.d10;
--> Time,root.sg.d10.s1,root.sg.d10.s2
--> 1,10.0,20.0
select d1.s1, x1.* from root.sg;
--> Time,root.sg.d1.s1,root.sg.x1.s1
--> 1,1.0,100.0
select ** from root.sg.deep;
--> Time,root.sg.deep.d1.s1
--> 1,1000.0
select s1 from root.sg.**.d1;
--> Time,root.sg.deep.d1.s1
--> 1,1000.0
select count(*) from root.sg.*;
--> count(root.sg.d1.s1),count(root.sg.d10.s1),count(root.sg.d10.s2),count(root.sg.x1.s1)
--> 1,1,1,1
-- Keywords as names of nodes, in any case.
insert into root.select.from(time, `value`, time1, device, device1, level, count, `end`, `order`) values (1, 1, 2, 3, 4, 5, 6, 7, 8);
select device, level, count, `value` from root.select.from;
--> Time,root.select.from.device,root.select.from.level,root.select.from.count,root.select.from.value
--> 1,3.0,5.0,6.0,1.0
SELECT `end`, `order` FROM root.select.from;
--> Time,root.select.from.end,root.select.from.order
--> 1,7.0,8.0
-- Comments.
select s1 -- the only one
  from /* here
  or there */ root.sg.d1; 
--> Time,root.sg.d1.s1
--> 1,1.0
-- What needs backquotes.
select e-f from root.sg.d1;
--> Time
select s1 from root.sg.d-1;
--! line 1, column 25: a node with the character '-' needs backquotes
insert into root.sg.d1(time, a-b) values (1, 1);
--! needs backquotes
insert into root.sg.d1(time, 123) values (1, 1);
select `123` from root.sg.d1;
--> Time,root.sg.d1.`123`
--> 1,1.0
select s1 from root.sg.`d1;
--! the name that begins here does not end
select s1 from root.sg..d1;
--! expected a node of the path
select s1 from root.sg.;
--! expected a node of the path
select s1 from root.sg.d1 as x;
--! line 1, column 27
select s1 from sg.d1;
--! expected a path that begins with root
select s1 from Root.sg.d1;
--! did you mean root.sg.d1?
create timeseries root.sg.`` with datatype=INT32;
--! empty

-- What damage has taken the names of is asked for by its own device.
select * from lost_and_found;
--> Time
show timeseries lost_and_found.*;
--> Timeseries,Alias,Database,DataType,Encoding,Compression,Tags,Attributes,Deadband,DeadbandParameters,ViewType
delete from lost_and_found.s7 where time < 5;
drop timeseries lost_and_found.s7;
--! no series
select * from lost_and_foundling;
--! that begins with root
