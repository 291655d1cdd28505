-- The IoTDB 0.13 page on triggers: its statements as printed, and its results.

-- The example project at the end of the page.
CREATE TIMESERIES root.sg1.d1.s1 WITH DATATYPE=DOUBLE, ENCODING=PLAIN;
CREATE TRIGGER `window-avg-alerter`
AFTER INSERT
ON root.sg1.d1.s1
AS 'org.apache.iotdb.trigger.TriggerExample'
WITH (
'lo' = '0',
'hi' = '10.0'
);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (1, 0);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (2, 2);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (3, 4);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (4, 6);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (5, 8);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (6, 10);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (7, 12);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (8, 14);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (9, 16);
INSERT INTO root.sg1.d1(timestamp, s1) VALUES (10, 18);
\wait
SELECT * FROM root.alerting;
--> Time,root.alerting.remote,root.alerting.local
--> 6,14.0,14.0

-- One trigger a series.
CREATE TRIGGER `alert-listener-sg1d1s1`
AFTER INSERT
ON root.sg1.d1.s1
AS 'org.apache.iotdb.db.engine.trigger.example.AlertListener'
WITH (
'lo' = '0',
'hi' = '100.0'
);
--! already been registered on the series root.sg1.d1.s1
DROP TRIGGER `window-avg-alerter`;
CREATE TRIGGER `alert-listener-sg1d1s1`
AFTER INSERT
ON root.sg1.d1.s1
AS 'org.apache.iotdb.db.engine.trigger.example.AlertListener'
WITH (
'lo' = '0',
'hi' = '100.0'
);
SHOW TRIGGERS;
--> TriggerName,Event,Type,State,PathPattern,ClassName,NodeId
--> alert-listener-sg1d1s1,AFTER_INSERT,STATEFUL,ACTIVE,root.sg1.d1.s1,org.apache.iotdb.db.engine.trigger.example.AlertListener,0
STOP TRIGGER `alert-listener-sg1d1s1`;
SHOW TRIGGERS DETAILS;
--> TriggerName,Event,Type,State,PathPattern,ClassName,NodeId,Attributes,Hooks,Error,Statement
--> alert-listener-sg1d1s1,AFTER_INSERT,STATEFUL,STOPPED,root.sg1.d1.s1,org.apache.iotdb.db.engine.trigger.example.AlertListener,0,"{hi=100.0, lo=0}",OnCreate,,"CREATE TRIGGER `alert-listener-sg1d1s1`
--> AFTER INSERT
--> ON root.sg1.d1.s1
--> AS 'org.apache.iotdb.db.engine.trigger.example.AlertListener'
--> WITH (
--> 'lo' = '0',
--> 'hi' = '100.0'
--> )"
STOP TRIGGER `alert-listener-sg1d1s1`;
--! has already been stopped
START TRIGGER `alert-listener-sg1d1s1`;
START TRIGGER `alert-listener-sg1d1s1`;
--! has already been started
SHOW TRIGGERS DETAILS;
--> TriggerName,Event,Type,State,PathPattern,ClassName,NodeId,Attributes,Hooks,Error,Statement
--> alert-listener-sg1d1s1,AFTER_INSERT,STATEFUL,ACTIVE,root.sg1.d1.s1,org.apache.iotdb.db.engine.trigger.example.AlertListener,0,"{hi=100.0, lo=0}",OnCreate,,"CREATE TRIGGER `alert-listener-sg1d1s1`
--> AFTER INSERT
--> ON root.sg1.d1.s1
--> AS 'org.apache.iotdb.db.engine.trigger.example.AlertListener'
--> WITH (
--> 'lo' = '0',
--> 'hi' = '100.0'
--> )"
SHOW CREATE TRIGGER `alert-listener-sg1d1s1`;
--> TriggerName,Statement
--> alert-listener-sg1d1s1,"CREATE TRIGGER `alert-listener-sg1d1s1`
--> AFTER INSERT
--> ON root.sg1.d1.s1
--> AS 'org.apache.iotdb.db.engine.trigger.example.AlertListener'
--> WITH (
--> 'lo' = '0',
--> 'hi' = '100.0'
--> )"
DROP TRIGGER `alert-listener-sg1d1s1`;
SHOW TRIGGERS DETAILS;
--> TriggerName,Event,Type,State,PathPattern,ClassName,NodeId,Attributes,Hooks,Error,Statement

-- What cannot be.
CREATE TRIGGER t AFTER INSERT ON root.sg1.d1.s9 AS 'org.apache.iotdb.trigger.TriggerExample';
--! does not exist
CREATE TRIGGER t AFTER INSERT ON root.sg1.d1 AS 'org.apache.iotdb.trigger.TriggerExample';
--! does not exist or is no series
CREATE TRIGGER t AFTER INSERT ON root.sg1.d1.* AS 'org.apache.iotdb.trigger.TriggerExample';
--! Please specify trigger type: STATELESS or STATEFUL
CREATE TRIGGER t AFTER INSERT ON root.sg1.d1.s1 AS 'no.such.Class';
--! class "no.such.Class" is not registered
CREATE TRIGGER t AFTER INSERT ON root.sg1.d1.s1 AS 'org.apache.iotdb.trigger.TriggerExample' WITH ('lo' = 'low');
--! lo
SHOW TRIGGERS DETAILS;
--> TriggerName,Event,Type,State,PathPattern,ClassName,NodeId,Attributes,Hooks,Error,Statement
DROP TRIGGER nobody;
--! has not been created
START TRIGGER nobody;
--! has not been created
STOP TRIGGER nobody;
--! has not been created

-- A trigger of a series goes with it.
CREATE TRIGGER `alert-listener-sg1d1s1` AFTER INSERT ON root.sg1.d1.s1 AS 'org.apache.iotdb.db.engine.trigger.example.AlertListener';
STOP TRIGGER `alert-listener-sg1d1s1`;
DROP TRIGGER `alert-listener-sg1d1s1`;
CREATE TRIGGER gone AFTER INSERT ON root.sg1.d1.s1 AS 'org.apache.iotdb.trigger.TriggerExample';
DELETE TIMESERIES root.sg1.d1.s1;
SHOW TRIGGERS DETAILS;
--> TriggerName,Event,Type,State,PathPattern,ClassName,NodeId,Attributes,Hooks,Error,Statement
CREATE TIMESERIES root.sg2.d1.s1 WITH DATATYPE=DOUBLE;
CREATE TRIGGER gone BEFORE INSERT ON root.sg2.d1.s1 AS 'org.apache.iotdb.trigger.TriggerExample';
DELETE STORAGE GROUP root.sg2;
SHOW TRIGGERS DETAILS;
--> TriggerName,Event,Type,State,PathPattern,ClassName,NodeId,Attributes,Hooks,Error,Statement
