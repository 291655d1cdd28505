-- Where a statement is wrong, what was expected, and what may have been meant.

SELCT s1 FROM root.sg.d;
--! line 1, column 1: found "SELCT", expected SELECT, INSERT
--! did you mean SELECT?
select s1 form root.sg.d;
--! line 1, column 11: found "form", expected FROM; did you mean FROM?
select s1
  from root.sg.d
  wher s1 > 1;
--! line 3, column 3: found "wher"
select from root.sg.d;
--! line 1, column 8: found "from", expected an expression
select s1, from root.sg.d;
--! line 1, column 12
select (s1 + 1 from root.sg.d;
--! line 1, column 16: found "from", expected )
select s1 from root.sg.d where;
--! line 1, column 31
--! expected an expression
select s1 from root.sg.d where s1 >;
--! expected an expression
select s1 from root.sg.d group s1;
--! expected BY
select s1 from root.sg.d limit ten;
--! expected an integer of LIMIT
select s1 from root.sg.d limit 1 limit 2;
--! LIMIT is given twice
select s1 from root.sg.d where s1 = 'open;
--! the text that begins here does not end
select s1 /* from root.sg.d;
--! the comment that begins here does not end
select s1 from root.sg.d where s1 = 1h;
--! is a duration
create timeseries root.sg.d.s with datatype=INT33;
--! did you mean INT32?
create timeserie root.sg.d.s INT32;
--! did you mean TIMESERIES?
create trigger t aftr insert on root.sg.d.s as 'x';
--! did you mean AFTER?
show trigers;
--! did you mean TRIGGERS?
show;
--! line 1, column 5
drop tigger t;
--! did you mean TRIGGER?
count;
--! expected TIMESERIES, DEVICES, NODES or DATABASES
create cq c resample evry 1s begin select s1 into root.o.d(s) from root.sg.d end;
--! did you mean EVERY?
create cq c resample every 1s begin select s1 into root.o.d(s) from root.sg.d;
--! expected END
create cq c timeout policy drop begin select s1 into root.o.d(s) from root.sg.d end;
--! expected BLOCKED or DISCARD
select s1 from root.sg.d align by devic;
--! did you mean DEVICE?
select s1 from root.sg.d ^ 1;
--! the character "^" has no meaning here
select s1 from root.sg.d where s1 = 1.2.3;
--! line 1, column 40
select ? from root.sg.d;
--! parameter 1 has no value
grant all to root;
--! expected SELECT, INSERT
