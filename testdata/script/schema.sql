-- Series, devices, databases and time to live.

CREATE DATABASE root.ln;
CREATE STORAGE GROUP root.sgcc;
SET STORAGE GROUP TO root.sg.deep;
CREATE DATABASE root.ln;
--! root.ln has already been created as database
CREATE DATABASE root.ln.wf01;
--! root.ln has already been created as database
CREATE DATABASE root.sg;
--! root.sg.deep has already been created as database
create timeseries root.ln.wf01.wt01.status with datatype=BOOLEAN,encoding=PLAIN;
create timeseries root.ln.wf01.wt01.temperature with datatype=FLOAT,encoding=RLE,compressor=SNAPPY;
create timeseries root.ln.wf02.wt02.hardware with datatype=TEXT, ENCODING=PLAIN;
create timeseries root.sgcc.wf03.wt01.status BOOLEAN encoding=PLAIN;
create timeseries root.sgcc.wf03.wt01.temperature(temp) FLOAT;
CREATE ALIGNED TIMESERIES root.ln.wf01.GPS(latitude FLOAT encoding=PLAIN compressor=SNAPPY, longitude FLOAT encoding=PLAIN compressor=SNAPPY);
create timeseries root.ln.wf01.wt01.status with datatype=INT32;
--! already exist
create timeseries root.ln.wf01.wt01.status with datatype=BOOLEAN;
--! already exist
create timeseries root.ln.wf01.wt01.x with datatype=STRING;
--! expected BOOLEAN, INT32, INT64, FLOAT, DOUBLE or TEXT
show timeseries;
--> Timeseries,Alias,Database,DataType,Encoding,Compression,Tags,Attributes,Deadband,DeadbandParameters,ViewType
--> root.ln.wf01.GPS.latitude,,root.ln,FLOAT,PLAIN,SNAPPY,,,,,BASE
--> root.ln.wf01.GPS.longitude,,root.ln,FLOAT,PLAIN,SNAPPY,,,,,BASE
--> root.ln.wf01.wt01.status,,root.ln,BOOLEAN,PLAIN,,,,,,BASE
--> root.ln.wf01.wt01.temperature,,root.ln,FLOAT,RLE,SNAPPY,,,,,BASE
--> root.ln.wf02.wt02.hardware,,root.ln,TEXT,PLAIN,,,,,,BASE
--> root.sgcc.wf03.wt01.status,,root.sgcc,BOOLEAN,PLAIN,,,,,,BASE
--> root.sgcc.wf03.wt01.temperature,temp,root.sgcc,FLOAT,,,,,,,BASE
show timeseries root.ln.wf01.**;
--> Timeseries,Alias,Database,DataType,Encoding,Compression,Tags,Attributes,Deadband,DeadbandParameters,ViewType
--> root.ln.wf01.GPS.latitude,,root.ln,FLOAT,PLAIN,SNAPPY,,,,,BASE
--> root.ln.wf01.GPS.longitude,,root.ln,FLOAT,PLAIN,SNAPPY,,,,,BASE
--> root.ln.wf01.wt01.status,,root.ln,BOOLEAN,PLAIN,,,,,,BASE
--> root.ln.wf01.wt01.temperature,,root.ln,FLOAT,RLE,SNAPPY,,,,,BASE
show timeseries root.ln.** limit 2 offset 1;
--> Timeseries,Alias,Database,DataType,Encoding,Compression,Tags,Attributes,Deadband,DeadbandParameters,ViewType
--> root.ln.wf01.GPS.longitude,,root.ln,FLOAT,PLAIN,SNAPPY,,,,,BASE
--> root.ln.wf01.wt01.status,,root.ln,BOOLEAN,PLAIN,,,,,,BASE
show timeseries root.none.**;
--> Timeseries,Alias,Database,DataType,Encoding,Compression,Tags,Attributes,Deadband,DeadbandParameters,ViewType
show devices;
--> Device,IsAligned
--> root.ln.wf01.GPS,true
--> root.ln.wf01.wt01,false
--> root.ln.wf02.wt02,false
--> root.sgcc.wf03.wt01,false
show devices with database;
--> Device,Database,IsAligned
--> root.ln.wf01.GPS,root.ln,true
--> root.ln.wf01.wt01,root.ln,false
--> root.ln.wf02.wt02,root.ln,false
--> root.sgcc.wf03.wt01,root.sgcc,false
show devices root.ln.** limit 1;
--> Device,IsAligned
--> root.ln.wf01.GPS,true
show databases;
--> Database,TTL(ms),SchemaReplicationFactor,DataReplicationFactor,TimePartitionInterval
--> root.ln,,1,1,
--> root.sg.deep,,1,1,
--> root.sgcc,,1,1,
show storage group;
--> Database,TTL(ms),SchemaReplicationFactor,DataReplicationFactor,TimePartitionInterval
--> root.ln,,1,1,
--> root.sg.deep,,1,1,
--> root.sgcc,,1,1,
show databases root.ln;
--> Database,TTL(ms),SchemaReplicationFactor,DataReplicationFactor,TimePartitionInterval
--> root.ln,,1,1,
count timeseries;
--> count(timeseries)
--> 7
count timeseries root.ln.**;
--> count(timeseries)
--> 5
count timeseries root.ln.** group by level = 2;
--> Column,count(timeseries)
--> root.ln.wf01,4
--> root.ln.wf02,1
count devices;
--> count(devices)
--> 4
count devices root.ln.wf01.*;
--> count(devices)
--> 2
count databases;
--> count(database)
--> 3
count storage group root.sg.*;
--> count(database)
--> 1
count nodes root.** level = 2;
--> count(nodes)
--> 3
count nodes root.ln.** level = 3;
--> count(nodes)
--> 3
show child paths;
--> ChildPaths,NodeTypes
--> root.ln,DATABASE
--> root.sg,SG INTERNAL
--> root.sgcc,DATABASE
show child paths root.ln;
--> ChildPaths,NodeTypes
--> root.ln.wf01,DB INTERNAL
--> root.ln.wf02,DB INTERNAL
show child paths root.ln.wf01.wt01;
--> ChildPaths,NodeTypes
--> root.ln.wf01.wt01.status,TIMESERIES
--> root.ln.wf01.wt01.temperature,TIMESERIES
show child nodes root.ln;
--> ChildNodes
--> wf01
--> wf02

-- A database that nobody declared.
insert into root.auto.d(time, s) values (1, 1);
show databases root.auto;
--> Database,TTL(ms),SchemaReplicationFactor,DataReplicationFactor,TimePartitionInterval
--> root.auto,,1,1,
CREATE DATABASE root.auto;
--! root.auto has already been created as database

-- Time to live, against the clock and the newest point.
\clock 2024-06-01T00:00:10Z
set ttl to root.ttl 3000;
show ttl on root.ttl;
--> Database,TTL(ms)
--> root.ttl,3000
insert into root.ttl.d(time, s) values (2024-06-01T00:00:09Z, 1), (2024-06-01T00:00:10Z, 2);
insert into root.ttl.d(time, s) values (2024-06-01T00:00:01Z, 0);
--! older than retention
select s from root.ttl.d;
--> Time,root.ttl.d.s
--> 1717200009000,1.0
--> 1717200010000,2.0
unset ttl to root.ttl;
insert into root.ttl.d(time, s) values (2024-06-01T00:00:01Z, 0);
select s from root.ttl.d;
--> Time,root.ttl.d.s
--> 1717200001000,0.0
--> 1717200009000,1.0
--> 1717200010000,2.0
set ttl to root.sgcc 1d;
show all ttl;
--> Database,TTL(ms)
--> root.auto,
--> root.ln,
--> root.sg.deep,
--> root.sgcc,86400000
--> root.ttl,
show ttl on root.sgcc, root.ln;
--> Database,TTL(ms)
--> root.ln,
--> root.sgcc,86400000
set ttl to root.ln 0;
--! should be greater than 0

-- Dropping.
delete timeseries root.ln.wf01.wt01.status, root.ln.wf02.**;
show timeseries root.ln.**;
--> Timeseries,Alias,Database,DataType,Encoding,Compression,Tags,Attributes,Deadband,DeadbandParameters,ViewType
--> root.ln.wf01.GPS.latitude,,root.ln,FLOAT,PLAIN,SNAPPY,,,,,BASE
--> root.ln.wf01.GPS.longitude,,root.ln,FLOAT,PLAIN,SNAPPY,,,,,BASE
--> root.ln.wf01.wt01.temperature,,root.ln,FLOAT,RLE,SNAPPY,,,,,BASE
delete database root.sgcc;
show databases;
--> Database,TTL(ms),SchemaReplicationFactor,DataReplicationFactor,TimePartitionInterval
--> root.auto,,1,1,
--> root.ln,,1,1,
--> root.sg.deep,,1,1,
--> root.ttl,,1,1,
show all ttl;
--> Database,TTL(ms)
--> root.auto,
--> root.ln,
--> root.sg.deep,
--> root.ttl,
drop database root.sgcc;
--! does not exist
delete storage group root.ln, root.sg.deep;
show databases;
--> Database,TTL(ms),SchemaReplicationFactor,DataReplicationFactor,TimePartitionInterval
--> root.auto,,1,1,
--> root.ttl,,1,1,
show timeseries;
--> Timeseries,Alias,Database,DataType,Encoding,Compression,Tags,Attributes,Deadband,DeadbandParameters,ViewType
--> root.auto.d.s,,root.auto,FLOAT,,,,,,,BASE
--> root.ttl.d.s,,root.ttl,FLOAT,,,,,,,BASE
