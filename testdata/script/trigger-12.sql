-- The IoTDB 1.2 page on triggers: its statements as printed.

CREATE STATELESS TRIGGER triggerTest
BEFORE INSERT
ON root.sg.**
AS 'org.apache.iotdb.trigger.ClusterAlertingExample'
USING URI 'http://jar/ClusterAlertingExample.jar'
WITH (
"name" = "trigger",
"limit" = "100"
);
CREATE STATEFUL TRIGGER triggerTest1 AFTER INSERT ON root.** AS 'org.apache.iotdb.trigger.TriggerExample';
SHOW TRIGGERS;
--> TriggerName,Event,Type,State,PathPattern,ClassName,NodeId
--> triggerTest,BEFORE_INSERT,STATELESS,ACTIVE,root.sg.**,org.apache.iotdb.trigger.ClusterAlertingExample,ALL
--> triggerTest1,AFTER_INSERT,STATEFUL,ACTIVE,root.**,org.apache.iotdb.trigger.TriggerExample,0
SHOW CREATE TRIGGER triggerTest;
--> TriggerName,Statement
--> triggerTest,"CREATE STATELESS TRIGGER triggerTest
--> BEFORE INSERT
--> ON root.sg.**
--> AS 'org.apache.iotdb.trigger.ClusterAlertingExample'
--> USING URI 'http://jar/ClusterAlertingExample.jar'
--> WITH (
--> ""name"" = ""trigger"",
--> ""limit"" = ""100""
--> )"
DROP TRIGGER triggerTest1;
DROP TRIGGER triggerTest1;
--! this trigger has not been created
insert into root.sg(time, a, b) values (1, 1, 1);
SELECT * FROM root.sg;
--> Time,root.sg.a,root.sg.b
--> 1,1.0,1.0

-- Names are case-sensitive, and anything in backquotes.
CREATE STATELESS TRIGGER triggerTest BEFORE INSERT ON root.sg.a AS 'org.apache.iotdb.trigger.ClusterAlertingExample';
--! the same name trigger has been created
CREATE STATELESS TRIGGER TRIGGERTEST BEFORE INSERT ON root.sg.a AS 'org.apache.iotdb.trigger.ClusterAlertingExample';
CREATE STATEFUL TRIGGER `a ``quoted`` name, 1.2` AFTER INSERT ON root.sg.* AS 'org.apache.iotdb.trigger.ClusterAlertingExample' WITH (k = v, "k" = "last");
SHOW TRIGGERS;
--> TriggerName,Event,Type,State,PathPattern,ClassName,NodeId
--> TRIGGERTEST,BEFORE_INSERT,STATELESS,ACTIVE,root.sg.a,org.apache.iotdb.trigger.ClusterAlertingExample,ALL
--> "a `quoted` name, 1.2",AFTER_INSERT,STATEFUL,ACTIVE,root.sg.*,org.apache.iotdb.trigger.ClusterAlertingExample,0
--> triggerTest,BEFORE_INSERT,STATELESS,ACTIVE,root.sg.**,org.apache.iotdb.trigger.ClusterAlertingExample,ALL

-- What cannot be.
CREATE STATELESS TRIGGER t AFTER DELETE ON root.sg.** AS 'org.apache.iotdb.trigger.ClusterAlertingExample';
--! line 1, column 34: Trigger does not support DELETE as TRIGGER_EVENT for now.
CREATE STATELESS TRIGGER t AFTER INSERT ON root.sg.** AS 'org.example.Missing' USING URI 'http://jar/missing.jar';
--! class "org.example.Missing" is not registered
--! cannot be loaded from "http://jar/missing.jar"
CREATE STATELESS TRIGGER t ON root.sg.** AS 'x';
--! expected BEFORE or AFTER
CREATE STATELES TRIGGER t AFTER INSERT ON root.sg.** AS 'x';
--! line 1, column 8
CREATE STATELESS TRIGGER 123 AFTER INSERT ON root.sg.** AS 'x';
--! needs backquotes
SHOW TRIGGERS;
--> TriggerName,Event,Type,State,PathPattern,ClassName,NodeId
--> TRIGGERTEST,BEFORE_INSERT,STATELESS,ACTIVE,root.sg.a,org.apache.iotdb.trigger.ClusterAlertingExample,ALL
--> "a `quoted` name, 1.2",AFTER_INSERT,STATEFUL,ACTIVE,root.sg.*,org.apache.iotdb.trigger.ClusterAlertingExample,0
--> triggerTest,BEFORE_INSERT,STATELESS,ACTIVE,root.sg.**,org.apache.iotdb.trigger.ClusterAlertingExample,ALL
