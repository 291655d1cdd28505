-- ORDER BY expressions: cases and orders of IoTDB's OrderByIT.

CREATE TIMESERIES root.sg.d.num WITH DATATYPE=INT32;
CREATE TIMESERIES root.sg.d.bigNum WITH DATATYPE=INT64;
CREATE TIMESERIES root.sg.d.floatNum WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.sg.d.str WITH DATATYPE=TEXT;
CREATE TIMESERIES root.sg.d.bool WITH DATATYPE=BOOLEAN;
CREATE TIMESERIES root.sg.d2.num WITH DATATYPE=INT32;
CREATE TIMESERIES root.sg.d2.bigNum WITH DATATYPE=INT64;
CREATE TIMESERIES root.sg.d2.floatNum WITH DATATYPE=DOUBLE;
CREATE TIMESERIES root.sg.d2.str WITH DATATYPE=TEXT;
CREATE TIMESERIES root.sg.d2.bool WITH DATATYPE=BOOLEAN;
insert into root.sg.d(time, num, bigNum, floatNum, str, bool) values
  (0, 3, 2947483648, 231.2121, 'coconut', false),
  (20, 2, 2147483648, 434.12, 'pineapple', true),
  (40, 1, 2247483648, 12.123, 'apricot', true),
  (80, 9, 2147483646, 43.12, 'apple', false),
  (100, 8, 2147483964, 4654.231, 'papaya', true),
  (31536000000, 6, 2147483650, 1231.21, 'banana', true),
  (31536000100, 10, 3147483648, 231.55, 'pumelo', false),
  (31536000500, 4, 2147493648, 213.1, 'peach', false),
  (31536001000, 5, 2149783648, 56.32, 'orange', false),
  (31536010000, 7, 2147983648, 213.112, 'lemon', true),
  (31536100000, 11, 2147468648, 54.121, 'pitaya', false),
  (41536000000, 12, 2146483648, 45.231, 'strawberry', false),
  (41536000020, 14, 2907483648, 231.34, 'cherry', false),
  (41536900000, 13, 2107483648, 54.12, 'lychee', true),
  (51536000000, 15, 3147483648, 235.213, 'watermelon', true);
insert into root.sg.d2(time, num, bigNum, floatNum, str, bool) values
  (0, 3, 2947483648, 231.2121, 'coconut', false),
  (20, 2, 2147483648, 434.12, 'pineapple', true),
  (40, 1, 2247483648, 12.123, 'apricot', true),
  (80, 9, 2147483646, 43.12, 'apple', false),
  (100, 8, 2147483964, 4654.231, 'papaya', true),
  (31536000000, 6, 2147483650, 1231.21, 'banana', true),
  (31536000100, 10, 3147483648, 231.55, 'pumelo', false),
  (31536000500, 4, 2147493648, 213.1, 'peach', false),
  (31536001000, 5, 2149783648, 56.32, 'orange', false),
  (31536010000, 7, 2147983648, 213.112, 'lemon', true),
  (31536100000, 11, 2147468648, 54.121, 'pitaya', false),
  (41536000000, 12, 2146483648, 45.231, 'strawberry', false),
  (41536000020, 14, 2907483648, 231.34, 'cherry', false),
  (41536900000, 13, 2107483648, 54.12, 'lychee', true),
  (51536000000, 15, 3147483648, 235.213, 'watermelon', true);
-- One key.
select num, bigNum, floatNum, str, bool from root.sg.d order by num;
--> Time,root.sg.d.num,root.sg.d.bigNum,root.sg.d.floatNum,root.sg.d.str,root.sg.d.bool
--> 40,1,2247483648,12.123,apricot,true
--> 20,2,2147483648,434.12,pineapple,true
--> 0,3,2947483648,231.2121,coconut,false
--> 31536000500,4,2147493648,213.1,peach,false
--> 31536001000,5,2149783648,56.32,orange,false
--> 31536000000,6,2147483650,1231.21,banana,true
--> 31536010000,7,2147983648,213.112,lemon,true
--> 100,8,2147483964,4654.231,papaya,true
--> 80,9,2147483646,43.12,apple,false
--> 31536000100,10,3147483648,231.55,pumelo,false
--> 31536100000,11,2147468648,54.121,pitaya,false
--> 41536000000,12,2146483648,45.231,strawberry,false
--> 41536900000,13,2107483648,54.12,lychee,true
--> 41536000020,14,2907483648,231.34,cherry,false
--> 51536000000,15,3147483648,235.213,watermelon,true
select num from root.sg.d order by bigNum, time;
--> Time,root.sg.d.num
--> 41536900000,13
--> 41536000000,12
--> 31536100000,11
--> 80,9
--> 20,2
--> 31536000000,6
--> 100,8
--> 31536000500,4
--> 31536010000,7
--> 31536001000,5
--> 40,1
--> 41536000020,14
--> 0,3
--> 31536000100,10
--> 51536000000,15
select num from root.sg.d order by floatNum;
--> Time,root.sg.d.num
--> 40,1
--> 80,9
--> 41536000000,12
--> 41536900000,13
--> 31536100000,11
--> 31536001000,5
--> 31536000500,4
--> 31536010000,7
--> 0,3
--> 41536000020,14
--> 31536000100,10
--> 51536000000,15
--> 20,2
--> 31536000000,6
--> 100,8
select num from root.sg.d order by str;
--> Time,root.sg.d.num
--> 80,9
--> 40,1
--> 31536000000,6
--> 41536000020,14
--> 0,3
--> 31536010000,7
--> 41536900000,13
--> 31536001000,5
--> 100,8
--> 31536000500,4
--> 20,2
--> 31536100000,11
--> 31536000100,10
--> 41536000000,12
--> 51536000000,15
select num from root.sg.d order by num desc;
--> Time,root.sg.d.num
--> 51536000000,15
--> 41536000020,14
--> 41536900000,13
--> 41536000000,12
--> 31536100000,11
--> 31536000100,10
--> 80,9
--> 100,8
--> 31536010000,7
--> 31536000000,6
--> 31536001000,5
--> 31536000500,4
--> 0,3
--> 20,2
--> 40,1
select num from root.sg.d order by bigNum desc, time asc;
--> Time,root.sg.d.num
--> 31536000100,10
--> 51536000000,15
--> 0,3
--> 41536000020,14
--> 40,1
--> 31536001000,5
--> 31536010000,7
--> 31536000500,4
--> 100,8
--> 31536000000,6
--> 20,2
--> 80,9
--> 31536100000,11
--> 41536000000,12
--> 41536900000,13
select num from root.sg.d order by floatNum desc;
--> Time,root.sg.d.num
--> 100,8
--> 31536000000,6
--> 20,2
--> 51536000000,15
--> 31536000100,10
--> 41536000020,14
--> 0,3
--> 31536010000,7
--> 31536000500,4
--> 31536001000,5
--> 31536100000,11
--> 41536900000,13
--> 41536000000,12
--> 80,9
--> 40,1
select num from root.sg.d order by str desc;
--> Time,root.sg.d.num
--> 51536000000,15
--> 41536000000,12
--> 31536000100,10
--> 31536100000,11
--> 20,2
--> 31536000500,4
--> 100,8
--> 31536001000,5
--> 41536900000,13
--> 31536010000,7
--> 0,3
--> 41536000020,14
--> 31536000000,6
--> 40,1
--> 80,9
select num from root.sg.d order by str desc, str asc;
--> Time,root.sg.d.num
--> 51536000000,15
--> 41536000000,12
--> 31536000100,10
--> 31536100000,11
--> 20,2
--> 31536000500,4
--> 100,8
--> 31536001000,5
--> 41536900000,13
--> 31536010000,7
--> 0,3
--> 41536000020,14
--> 31536000000,6
--> 40,1
--> 80,9
select num from root.sg.d order by str, str;
--> Time,root.sg.d.num
--> 80,9
--> 40,1
--> 31536000000,6
--> 41536000020,14
--> 0,3
--> 31536010000,7
--> 41536900000,13
--> 31536001000,5
--> 100,8
--> 31536000500,4
--> 20,2
--> 31536100000,11
--> 31536000100,10
--> 41536000000,12
--> 51536000000,15
select num + bigNum, floatNum from root.sg.d order by str;
--> Time,root.sg.d.num + root.sg.d.bigNum,root.sg.d.floatNum
--> 80,2.147483655E9,43.12
--> 40,2.247483649E9,12.123
--> 31536000000,2.147483656E9,1231.21
--> 41536000020,2.907483662E9,231.34
--> 0,2.947483651E9,231.2121
--> 31536010000,2.147983655E9,213.112
--> 41536900000,2.107483661E9,54.12
--> 31536001000,2.149783653E9,56.32
--> 100,2.147483972E9,4654.231
--> 31536000500,2.147493652E9,213.1
--> 20,2.14748365E9,434.12
--> 31536100000,2.147468659E9,54.121
--> 31536000100,3.147483658E9,231.55
--> 41536000000,2.14648366E9,45.231
--> 51536000000,3.147483663E9,235.213
-- Several keys, and expressions that are not selected.
select num from root.sg.d order by bool asc, str asc;
--> Time,root.sg.d.num
--> 80,9
--> 41536000020,14
--> 0,3
--> 31536001000,5
--> 31536000500,4
--> 31536100000,11
--> 31536000100,10
--> 41536000000,12
--> 40,1
--> 31536000000,6
--> 31536010000,7
--> 41536900000,13
--> 100,8
--> 20,2
--> 51536000000,15
select num from root.sg.d order by bool asc, num desc;
--> Time,root.sg.d.num
--> 41536000020,14
--> 41536000000,12
--> 31536100000,11
--> 31536000100,10
--> 80,9
--> 31536001000,5
--> 31536000500,4
--> 0,3
--> 51536000000,15
--> 41536900000,13
--> 100,8
--> 31536010000,7
--> 31536000000,6
--> 20,2
--> 40,1
select num from root.sg.d order by bigNum desc, floatNum desc;
--> Time,root.sg.d.num
--> 51536000000,15
--> 31536000100,10
--> 0,3
--> 41536000020,14
--> 40,1
--> 31536001000,5
--> 31536010000,7
--> 31536000500,4
--> 100,8
--> 31536000000,6
--> 20,2
--> 80,9
--> 31536100000,11
--> 41536000000,12
--> 41536900000,13
select num from root.sg.d order by str desc, floatNum desc;
--> Time,root.sg.d.num
--> 51536000000,15
--> 41536000000,12
--> 31536000100,10
--> 31536100000,11
--> 20,2
--> 31536000500,4
--> 100,8
--> 31536001000,5
--> 41536900000,13
--> 31536010000,7
--> 0,3
--> 41536000020,14
--> 31536000000,6
--> 40,1
--> 80,9
select num from root.sg.d order by num + floatNum desc, floatNum desc;
--> Time,root.sg.d.num
--> 100,8
--> 31536000000,6
--> 20,2
--> 51536000000,15
--> 41536000020,14
--> 31536000100,10
--> 0,3
--> 31536010000,7
--> 31536000500,4
--> 41536900000,13
--> 31536100000,11
--> 31536001000,5
--> 41536000000,12
--> 80,9
--> 40,1
select num + bigNum from root.sg.d order by num + floatNum desc, floatNum desc;
--> Time,root.sg.d.num + root.sg.d.bigNum
--> 100,2.147483972E9
--> 31536000000,2.147483656E9
--> 20,2.14748365E9
--> 51536000000,3.147483663E9
--> 41536000020,2.907483662E9
--> 31536000100,3.147483658E9
--> 0,2.947483651E9
--> 31536010000,2.147983655E9
--> 31536000500,2.147493652E9
--> 41536900000,2.107483661E9
--> 31536100000,2.147468659E9
--> 31536001000,2.149783653E9
--> 41536000000,2.14648366E9
--> 80,2.147483655E9
--> 40,2.247483649E9
select num from root.sg.d order by floatNum + num desc, floatNum desc;
--> Time,root.sg.d.num
--> 100,8
--> 31536000000,6
--> 20,2
--> 51536000000,15
--> 41536000020,14
--> 31536000100,10
--> 0,3
--> 31536010000,7
--> 31536000500,4
--> 41536900000,13
--> 31536100000,11
--> 31536001000,5
--> 41536000000,12
--> 80,9
--> 40,1
-- Aggregates.
select avg(num) from root.sg.d group by session(10000ms) order by avg(num) desc;
--> Time,avg(root.sg.d.num)
--> 51536000000,15.0
--> 41536000000,13.0
--> 41536900000,13.0
--> 31536100000,11.0
--> 31536000000,6.4
--> 0,4.6
select avg(num) from root.sg.d group by session(10000ms) order by max_value(floatNum);
--> Time,avg(root.sg.d.num)
--> 41536900000,13.0
--> 31536100000,11.0
--> 41536000000,13.0
--> 51536000000,15.0
--> 31536000000,6.4
--> 0,4.6
select avg(num) from root.sg.d group by session(10000ms) order by avg(num) desc, max_value(floatNum);
--> Time,avg(root.sg.d.num)
--> 51536000000,15.0
--> 41536900000,13.0
--> 41536000000,13.0
--> 31536100000,11.0
--> 31536000000,6.4
--> 0,4.6
select avg(num) + avg(floatNum) from root.sg.d group by session(10000ms) order by avg(num) + avg(floatNum);
--> Time,avg(root.sg.d.num) + avg(root.sg.d.floatNum)
--> 31536100000,65.12100000000001
--> 41536900000,67.12
--> 41536000000,151.2855
--> 51536000000,250.213
--> 31536000000,395.4584
--> 0,1079.5612199999998
select min_value(bigNum) from root.sg.d group by session(10000ms) order by avg(num) + avg(floatNum);
--> Time,min_value(root.sg.d.bigNum)
--> 31536100000,2147468648
--> 41536900000,2107483648
--> 41536000000,2146483648
--> 51536000000,3147483648
--> 31536000000,2147483650
--> 0,2147483646
select min_value(num) + min_value(bigNum) from root.sg.d group by session(10000ms) order by avg(num) + avg(floatNum);
--> Time,min_value(root.sg.d.num) + min_value(root.sg.d.bigNum)
--> 31536100000,2.147468659E9
--> 41536900000,2.107483661E9
--> 41536000000,2.14648366E9
--> 51536000000,3.147483663E9
--> 31536000000,2.147483654E9
--> 0,2.147483647E9
select avg(num) + min_value(floatNum) from root.sg.d group by session(10000ms) order by max_value(floatNum);
--> Time,avg(root.sg.d.num) + min_value(root.sg.d.floatNum)
--> 41536900000,67.12
--> 31536100000,65.12100000000001
--> 41536000000,58.231
--> 51536000000,250.213
--> 31536000000,62.72
--> 0,16.723
select avg(num) + avg(floatNum) from root.sg.d group by session(10000ms) order by avg(floatNum) + avg(num);
--> Time,avg(root.sg.d.num) + avg(root.sg.d.floatNum)
--> 31536100000,65.12100000000001
--> 41536900000,67.12
--> 41536000000,151.2855
--> 51536000000,250.213
--> 31536000000,395.4584
--> 0,1079.5612199999998
-- By device: rows that are equal come in the order of their devices.
select num + bigNum from root.** order by num + floatNum desc, floatNum desc align by device;
--> Time,Device,num + bigNum
--> 100,root.sg.d,2.147483972E9
--> 100,root.sg.d2,2.147483972E9
--> 31536000000,root.sg.d,2.147483656E9
--> 31536000000,root.sg.d2,2.147483656E9
--> 20,root.sg.d,2.14748365E9
--> 20,root.sg.d2,2.14748365E9
--> 51536000000,root.sg.d,3.147483663E9
--> 51536000000,root.sg.d2,3.147483663E9
--> 41536000020,root.sg.d,2.907483662E9
--> 41536000020,root.sg.d2,2.907483662E9
--> 31536000100,root.sg.d,3.147483658E9
--> 31536000100,root.sg.d2,3.147483658E9
--> 0,root.sg.d,2.947483651E9
--> 0,root.sg.d2,2.947483651E9
--> 31536010000,root.sg.d,2.147983655E9
--> 31536010000,root.sg.d2,2.147983655E9
--> 31536000500,root.sg.d,2.147493652E9
--> 31536000500,root.sg.d2,2.147493652E9
--> 41536900000,root.sg.d,2.107483661E9
--> 41536900000,root.sg.d2,2.107483661E9
--> 31536100000,root.sg.d,2.147468659E9
--> 31536100000,root.sg.d2,2.147468659E9
--> 31536001000,root.sg.d,2.149783653E9
--> 31536001000,root.sg.d2,2.149783653E9
--> 41536000000,root.sg.d,2.14648366E9
--> 41536000000,root.sg.d2,2.14648366E9
--> 80,root.sg.d,2.147483655E9
--> 80,root.sg.d2,2.147483655E9
--> 40,root.sg.d,2.247483649E9
--> 40,root.sg.d2,2.247483649E9
select num from root.** order by num align by device;
--> Time,Device,num
--> 40,root.sg.d,1
--> 40,root.sg.d2,1
--> 20,root.sg.d,2
--> 20,root.sg.d2,2
--> 0,root.sg.d,3
--> 0,root.sg.d2,3
--> 31536000500,root.sg.d,4
--> 31536000500,root.sg.d2,4
--> 31536001000,root.sg.d,5
--> 31536001000,root.sg.d2,5
--> 31536000000,root.sg.d,6
--> 31536000000,root.sg.d2,6
--> 31536010000,root.sg.d,7
--> 31536010000,root.sg.d2,7
--> 100,root.sg.d,8
--> 100,root.sg.d2,8
--> 80,root.sg.d,9
--> 80,root.sg.d2,9
--> 31536000100,root.sg.d,10
--> 31536000100,root.sg.d2,10
--> 31536100000,root.sg.d,11
--> 31536100000,root.sg.d2,11
--> 41536000000,root.sg.d,12
--> 41536000000,root.sg.d2,12
--> 41536900000,root.sg.d,13
--> 41536900000,root.sg.d2,13
--> 41536000020,root.sg.d,14
--> 41536000020,root.sg.d2,14
--> 51536000000,root.sg.d,15
--> 51536000000,root.sg.d2,15
select num from root.** order by floatNum align by device;
--> Time,Device,num
--> 40,root.sg.d,1
--> 40,root.sg.d2,1
--> 80,root.sg.d,9
--> 80,root.sg.d2,9
--> 41536000000,root.sg.d,12
--> 41536000000,root.sg.d2,12
--> 41536900000,root.sg.d,13
--> 41536900000,root.sg.d2,13
--> 31536100000,root.sg.d,11
--> 31536100000,root.sg.d2,11
--> 31536001000,root.sg.d,5
--> 31536001000,root.sg.d2,5
--> 31536000500,root.sg.d,4
--> 31536000500,root.sg.d2,4
--> 31536010000,root.sg.d,7
--> 31536010000,root.sg.d2,7
--> 0,root.sg.d,3
--> 0,root.sg.d2,3
--> 41536000020,root.sg.d,14
--> 41536000020,root.sg.d2,14
--> 31536000100,root.sg.d,10
--> 31536000100,root.sg.d2,10
--> 51536000000,root.sg.d,15
--> 51536000000,root.sg.d2,15
--> 20,root.sg.d,2
--> 20,root.sg.d2,2
--> 31536000000,root.sg.d,6
--> 31536000000,root.sg.d2,6
--> 100,root.sg.d,8
--> 100,root.sg.d2,8
select num from root.** order by str align by device;
--> Time,Device,num
--> 80,root.sg.d,9
--> 80,root.sg.d2,9
--> 40,root.sg.d,1
--> 40,root.sg.d2,1
--> 31536000000,root.sg.d,6
--> 31536000000,root.sg.d2,6
--> 41536000020,root.sg.d,14
--> 41536000020,root.sg.d2,14
--> 0,root.sg.d,3
--> 0,root.sg.d2,3
--> 31536010000,root.sg.d,7
--> 31536010000,root.sg.d2,7
--> 41536900000,root.sg.d,13
--> 41536900000,root.sg.d2,13
--> 31536001000,root.sg.d,5
--> 31536001000,root.sg.d2,5
--> 100,root.sg.d,8
--> 100,root.sg.d2,8
--> 31536000500,root.sg.d,4
--> 31536000500,root.sg.d2,4
--> 20,root.sg.d,2
--> 20,root.sg.d2,2
--> 31536100000,root.sg.d,11
--> 31536100000,root.sg.d2,11
--> 31536000100,root.sg.d,10
--> 31536000100,root.sg.d2,10
--> 41536000000,root.sg.d,12
--> 41536000000,root.sg.d2,12
--> 51536000000,root.sg.d,15
--> 51536000000,root.sg.d2,15
select num from root.** order by num desc align by device;
--> Time,Device,num
--> 51536000000,root.sg.d,15
--> 51536000000,root.sg.d2,15
--> 41536000020,root.sg.d,14
--> 41536000020,root.sg.d2,14
--> 41536900000,root.sg.d,13
--> 41536900000,root.sg.d2,13
--> 41536000000,root.sg.d,12
--> 41536000000,root.sg.d2,12
--> 31536100000,root.sg.d,11
--> 31536100000,root.sg.d2,11
--> 31536000100,root.sg.d,10
--> 31536000100,root.sg.d2,10
--> 80,root.sg.d,9
--> 80,root.sg.d2,9
--> 100,root.sg.d,8
--> 100,root.sg.d2,8
--> 31536010000,root.sg.d,7
--> 31536010000,root.sg.d2,7
--> 31536000000,root.sg.d,6
--> 31536000000,root.sg.d2,6
--> 31536001000,root.sg.d,5
--> 31536001000,root.sg.d2,5
--> 31536000500,root.sg.d,4
--> 31536000500,root.sg.d2,4
--> 0,root.sg.d,3
--> 0,root.sg.d2,3
--> 20,root.sg.d,2
--> 20,root.sg.d2,2
--> 40,root.sg.d,1
--> 40,root.sg.d2,1
select num from root.** order by str desc align by device;
--> Time,Device,num
--> 51536000000,root.sg.d,15
--> 51536000000,root.sg.d2,15
--> 41536000000,root.sg.d,12
--> 41536000000,root.sg.d2,12
--> 31536000100,root.sg.d,10
--> 31536000100,root.sg.d2,10
--> 31536100000,root.sg.d,11
--> 31536100000,root.sg.d2,11
--> 20,root.sg.d,2
--> 20,root.sg.d2,2
--> 31536000500,root.sg.d,4
--> 31536000500,root.sg.d2,4
--> 100,root.sg.d,8
--> 100,root.sg.d2,8
--> 31536001000,root.sg.d,5
--> 31536001000,root.sg.d2,5
--> 41536900000,root.sg.d,13
--> 41536900000,root.sg.d2,13
--> 31536010000,root.sg.d,7
--> 31536010000,root.sg.d2,7
--> 0,root.sg.d,3
--> 0,root.sg.d2,3
--> 41536000020,root.sg.d,14
--> 41536000020,root.sg.d2,14
--> 31536000000,root.sg.d,6
--> 31536000000,root.sg.d2,6
--> 40,root.sg.d,1
--> 40,root.sg.d2,1
--> 80,root.sg.d,9
--> 80,root.sg.d2,9
select num from root.** order by bool asc, num desc align by device;
--> Time,Device,num
--> 41536000020,root.sg.d,14
--> 41536000020,root.sg.d2,14
--> 41536000000,root.sg.d,12
--> 41536000000,root.sg.d2,12
--> 31536100000,root.sg.d,11
--> 31536100000,root.sg.d2,11
--> 31536000100,root.sg.d,10
--> 31536000100,root.sg.d2,10
--> 80,root.sg.d,9
--> 80,root.sg.d2,9
--> 31536001000,root.sg.d,5
--> 31536001000,root.sg.d2,5
--> 31536000500,root.sg.d,4
--> 31536000500,root.sg.d2,4
--> 0,root.sg.d,3
--> 0,root.sg.d2,3
--> 51536000000,root.sg.d,15
--> 51536000000,root.sg.d2,15
--> 41536900000,root.sg.d,13
--> 41536900000,root.sg.d2,13
--> 100,root.sg.d,8
--> 100,root.sg.d2,8
--> 31536010000,root.sg.d,7
--> 31536010000,root.sg.d2,7
--> 31536000000,root.sg.d,6
--> 31536000000,root.sg.d2,6
--> 20,root.sg.d,2
--> 20,root.sg.d2,2
--> 40,root.sg.d,1
--> 40,root.sg.d2,1
select num from root.** order by bigNum desc, floatNum desc align by device;
--> Time,Device,num
--> 51536000000,root.sg.d,15
--> 51536000000,root.sg.d2,15
--> 31536000100,root.sg.d,10
--> 31536000100,root.sg.d2,10
--> 0,root.sg.d,3
--> 0,root.sg.d2,3
--> 41536000020,root.sg.d,14
--> 41536000020,root.sg.d2,14
--> 40,root.sg.d,1
--> 40,root.sg.d2,1
--> 31536001000,root.sg.d,5
--> 31536001000,root.sg.d2,5
--> 31536010000,root.sg.d,7
--> 31536010000,root.sg.d2,7
--> 31536000500,root.sg.d,4
--> 31536000500,root.sg.d2,4
--> 100,root.sg.d,8
--> 100,root.sg.d2,8
--> 31536000000,root.sg.d,6
--> 31536000000,root.sg.d2,6
--> 20,root.sg.d,2
--> 20,root.sg.d2,2
--> 80,root.sg.d,9
--> 80,root.sg.d2,9
--> 31536100000,root.sg.d,11
--> 31536100000,root.sg.d2,11
--> 41536000000,root.sg.d,12
--> 41536000000,root.sg.d2,12
--> 41536900000,root.sg.d,13
--> 41536900000,root.sg.d2,13
select num from root.** order by str desc, floatNum desc align by device;
--> Time,Device,num
--> 51536000000,root.sg.d,15
--> 51536000000,root.sg.d2,15
--> 41536000000,root.sg.d,12
--> 41536000000,root.sg.d2,12
--> 31536000100,root.sg.d,10
--> 31536000100,root.sg.d2,10
--> 31536100000,root.sg.d,11
--> 31536100000,root.sg.d2,11
--> 20,root.sg.d,2
--> 20,root.sg.d2,2
--> 31536000500,root.sg.d,4
--> 31536000500,root.sg.d2,4
--> 100,root.sg.d,8
--> 100,root.sg.d2,8
--> 31536001000,root.sg.d,5
--> 31536001000,root.sg.d2,5
--> 41536900000,root.sg.d,13
--> 41536900000,root.sg.d2,13
--> 31536010000,root.sg.d,7
--> 31536010000,root.sg.d2,7
--> 0,root.sg.d,3
--> 0,root.sg.d2,3
--> 41536000020,root.sg.d,14
--> 41536000020,root.sg.d2,14
--> 31536000000,root.sg.d,6
--> 31536000000,root.sg.d2,6
--> 40,root.sg.d,1
--> 40,root.sg.d2,1
--> 80,root.sg.d,9
--> 80,root.sg.d2,9
select num from root.** order by bigNum desc, device desc, time asc align by device;
--> Time,Device,num
--> 31536000100,root.sg.d2,10
--> 51536000000,root.sg.d2,15
--> 31536000100,root.sg.d,10
--> 51536000000,root.sg.d,15
--> 0,root.sg.d2,3
--> 0,root.sg.d,3
--> 41536000020,root.sg.d2,14
--> 41536000020,root.sg.d,14
--> 40,root.sg.d2,1
--> 40,root.sg.d,1
--> 31536001000,root.sg.d2,5
--> 31536001000,root.sg.d,5
--> 31536010000,root.sg.d2,7
--> 31536010000,root.sg.d,7
--> 31536000500,root.sg.d2,4
--> 31536000500,root.sg.d,4
--> 100,root.sg.d2,8
--> 100,root.sg.d,8
--> 31536000000,root.sg.d2,6
--> 31536000000,root.sg.d,6
--> 20,root.sg.d2,2
--> 20,root.sg.d,2
--> 80,root.sg.d2,9
--> 80,root.sg.d,9
--> 31536100000,root.sg.d2,11
--> 31536100000,root.sg.d,11
--> 41536000000,root.sg.d2,12
--> 41536000000,root.sg.d,12
--> 41536900000,root.sg.d2,13
--> 41536900000,root.sg.d,13
select num from root.** order by bigNum desc, time desc, device asc align by device;
--> Time,Device,num
--> 51536000000,root.sg.d,15
--> 51536000000,root.sg.d2,15
--> 31536000100,root.sg.d,10
--> 31536000100,root.sg.d2,10
--> 0,root.sg.d,3
--> 0,root.sg.d2,3
--> 41536000020,root.sg.d,14
--> 41536000020,root.sg.d2,14
--> 40,root.sg.d,1
--> 40,root.sg.d2,1
--> 31536001000,root.sg.d,5
--> 31536001000,root.sg.d2,5
--> 31536010000,root.sg.d,7
--> 31536010000,root.sg.d2,7
--> 31536000500,root.sg.d,4
--> 31536000500,root.sg.d2,4
--> 100,root.sg.d,8
--> 100,root.sg.d2,8
--> 31536000000,root.sg.d,6
--> 31536000000,root.sg.d2,6
--> 20,root.sg.d,2
--> 20,root.sg.d2,2
--> 80,root.sg.d,9
--> 80,root.sg.d2,9
--> 31536100000,root.sg.d,11
--> 31536100000,root.sg.d2,11
--> 41536000000,root.sg.d,12
--> 41536000000,root.sg.d2,12
--> 41536900000,root.sg.d,13
--> 41536900000,root.sg.d2,13
select num from root.** order by time desc, bigNum desc, device asc align by device;
--> Time,Device,num
--> 51536000000,root.sg.d,15
--> 51536000000,root.sg.d2,15
--> 41536900000,root.sg.d,13
--> 41536900000,root.sg.d2,13
--> 41536000020,root.sg.d,14
--> 41536000020,root.sg.d2,14
--> 41536000000,root.sg.d,12
--> 41536000000,root.sg.d2,12
--> 31536100000,root.sg.d,11
--> 31536100000,root.sg.d2,11
--> 31536010000,root.sg.d,7
--> 31536010000,root.sg.d2,7
--> 31536001000,root.sg.d,5
--> 31536001000,root.sg.d2,5
--> 31536000500,root.sg.d,4
--> 31536000500,root.sg.d2,4
--> 31536000100,root.sg.d,10
--> 31536000100,root.sg.d2,10
--> 31536000000,root.sg.d,6
--> 31536000000,root.sg.d2,6
--> 100,root.sg.d,8
--> 100,root.sg.d2,8
--> 80,root.sg.d,9
--> 80,root.sg.d2,9
--> 40,root.sg.d,1
--> 40,root.sg.d2,1
--> 20,root.sg.d,2
--> 20,root.sg.d2,2
--> 0,root.sg.d,3
--> 0,root.sg.d2,3
select num from root.** order by device desc, bigNum desc, time asc align by device;
--> Time,Device,num
--> 31536000100,root.sg.d2,10
--> 51536000000,root.sg.d2,15
--> 0,root.sg.d2,3
--> 41536000020,root.sg.d2,14
--> 40,root.sg.d2,1
--> 31536001000,root.sg.d2,5
--> 31536010000,root.sg.d2,7
--> 31536000500,root.sg.d2,4
--> 100,root.sg.d2,8
--> 31536000000,root.sg.d2,6
--> 20,root.sg.d2,2
--> 80,root.sg.d2,9
--> 31536100000,root.sg.d2,11
--> 41536000000,root.sg.d2,12
--> 41536900000,root.sg.d2,13
--> 31536000100,root.sg.d,10
--> 51536000000,root.sg.d,15
--> 0,root.sg.d,3
--> 41536000020,root.sg.d,14
--> 40,root.sg.d,1
--> 31536001000,root.sg.d,5
--> 31536010000,root.sg.d,7
--> 31536000500,root.sg.d,4
--> 100,root.sg.d,8
--> 31536000000,root.sg.d,6
--> 20,root.sg.d,2
--> 80,root.sg.d,9
--> 31536100000,root.sg.d,11
--> 41536000000,root.sg.d,12
--> 41536900000,root.sg.d,13
select num from root.** order by device desc, time asc, bigNum desc align by device;
--> Time,Device,num
--> 0,root.sg.d2,3
--> 20,root.sg.d2,2
--> 40,root.sg.d2,1
--> 80,root.sg.d2,9
--> 100,root.sg.d2,8
--> 31536000000,root.sg.d2,6
--> 31536000100,root.sg.d2,10
--> 31536000500,root.sg.d2,4
--> 31536001000,root.sg.d2,5
--> 31536010000,root.sg.d2,7
--> 31536100000,root.sg.d2,11
--> 41536000000,root.sg.d2,12
--> 41536000020,root.sg.d2,14
--> 41536900000,root.sg.d2,13
--> 51536000000,root.sg.d2,15
--> 0,root.sg.d,3
--> 20,root.sg.d,2
--> 40,root.sg.d,1
--> 80,root.sg.d,9
--> 100,root.sg.d,8
--> 31536000000,root.sg.d,6
--> 31536000100,root.sg.d,10
--> 31536000500,root.sg.d,4
--> 31536001000,root.sg.d,5
--> 31536010000,root.sg.d,7
--> 31536100000,root.sg.d,11
--> 41536000000,root.sg.d,12
--> 41536000020,root.sg.d,14
--> 41536900000,root.sg.d,13
--> 51536000000,root.sg.d,15
select num from root.** order by bigNum desc, device desc, num asc, time asc align by device;
--> Time,Device,num
--> 31536000100,root.sg.d2,10
--> 51536000000,root.sg.d2,15
--> 31536000100,root.sg.d,10
--> 51536000000,root.sg.d,15
--> 0,root.sg.d2,3
--> 0,root.sg.d,3
--> 41536000020,root.sg.d2,14
--> 41536000020,root.sg.d,14
--> 40,root.sg.d2,1
--> 40,root.sg.d,1
--> 31536001000,root.sg.d2,5
--> 31536001000,root.sg.d,5
--> 31536010000,root.sg.d2,7
--> 31536010000,root.sg.d,7
--> 31536000500,root.sg.d2,4
--> 31536000500,root.sg.d,4
--> 100,root.sg.d2,8
--> 100,root.sg.d,8
--> 31536000000,root.sg.d2,6
--> 31536000000,root.sg.d,6
--> 20,root.sg.d2,2
--> 20,root.sg.d,2
--> 80,root.sg.d2,9
--> 80,root.sg.d,9
--> 31536100000,root.sg.d2,11
--> 31536100000,root.sg.d,11
--> 41536000000,root.sg.d2,12
--> 41536000000,root.sg.d,12
--> 41536900000,root.sg.d2,13
--> 41536900000,root.sg.d,13
-- Aggregates by device.
select avg(num) from root.** group by session(10000ms) order by avg(num) align by device;
--> Time,Device,avg(num)
--> 0,root.sg.d,4.6
--> 0,root.sg.d2,4.6
--> 31536000000,root.sg.d,6.4
--> 31536000000,root.sg.d2,6.4
--> 31536100000,root.sg.d,11.0
--> 31536100000,root.sg.d2,11.0
--> 41536000000,root.sg.d,13.0
--> 41536900000,root.sg.d,13.0
--> 41536000000,root.sg.d2,13.0
--> 41536900000,root.sg.d2,13.0
--> 51536000000,root.sg.d,15.0
--> 51536000000,root.sg.d2,15.0
select avg(num) from root.** order by avg(num) align by device;
--> Device,avg(num)
--> root.sg.d,8.0
--> root.sg.d2,8.0
select avg(num) + avg(bigNum) from root.** order by max_value(floatNum) align by device;
--> Device,avg(num) + avg(bigNum)
--> root.sg.d,2.3889366770666666E9
--> root.sg.d2,2.3889366770666666E9
select avg(num) + avg(bigNum) from root.** order by max_value(floatNum) + min_value(num) align by device;
--> Device,avg(num) + avg(bigNum)
--> root.sg.d,2.3889366770666666E9
--> root.sg.d2,2.3889366770666666E9
select avg(num) from root.** order by max_value(floatNum) + avg(num) align by device;
--> Device,avg(num)
--> root.sg.d,8.0
--> root.sg.d2,8.0
select avg(num) from root.** order by max_value(floatNum) + avg(num), device asc, time desc align by device;
--> Device,avg(num)
--> root.sg.d,8.0
--> root.sg.d2,8.0
select avg(num) from root.** order by max_value(floatNum) + avg(num), time asc, device desc align by device;
--> Device,avg(num)
--> root.sg.d2,8.0
--> root.sg.d,8.0
select avg(num) from root.** order by time asc, max_value(floatNum) + avg(num), device desc align by device;
--> Device,avg(num)
--> root.sg.d2,8.0
--> root.sg.d,8.0
select avg(num) from root.** order by device asc, max_value(floatNum) + avg(num), time desc align by device;
--> Device,avg(num)
--> root.sg.d,8.0
--> root.sg.d2,8.0
select avg(num) from root.** order by max_value(floatNum) desc, time asc, avg(num) asc, device desc align by device;
--> Device,avg(num)
--> root.sg.d2,8.0
--> root.sg.d,8.0
select avg(num) from root.** order by max_value(floatNum) desc, device asc, avg(num) asc, time desc align by device;
--> Device,avg(num)
--> root.sg.d,8.0
--> root.sg.d2,8.0
select avg(num + floatNum) from root.** order by time, avg(num + floatNum) align by device;
--> Device,avg(num + floatNum)
--> root.sg.d,537.34154
--> root.sg.d2,537.34154
select avg(num) from root.** order by time, avg(num + floatNum) align by device;
--> Device,avg(num)
--> root.sg.d,8.0
--> root.sg.d2,8.0
select avg(num + floatNum) from root.** order by time, avg(num) align by device;
--> Device,avg(num + floatNum)
--> root.sg.d,537.34154
--> root.sg.d2,537.34154
-- Functions over rows as keys: null last unless NULLS FIRST is said, also with DESC.
select num, top_k(num, 'k'='2'), bottom_k(bigNum, 'k'='2') from root.sg.d order by top_k(num, 'k'='2') nulls first, bottom_k(bigNum, 'k'='2') nulls first;
--> Time,root.sg.d.num,"top_k(root.sg.d.num, ""k""=""2"")","bottom_k(root.sg.d.bigNum, ""k""=""2"")"
--> 0,3,,
--> 20,2,,
--> 40,1,,
--> 80,9,,
--> 100,8,,
--> 31536000000,6,,
--> 31536000100,10,,
--> 31536000500,4,,
--> 31536001000,5,,
--> 31536010000,7,,
--> 31536100000,11,,
--> 41536900000,13,,2107483648
--> 41536000000,12,,2146483648
--> 41536000020,14,14,
--> 51536000000,15,15,
select num, top_k(num, 'k'='2'), bottom_k(bigNum, 'k'='2') from root.sg.d order by top_k(num, 'k'='2'), bottom_k(bigNum, 'k'='2');
--> Time,root.sg.d.num,"top_k(root.sg.d.num, ""k""=""2"")","bottom_k(root.sg.d.bigNum, ""k""=""2"")"
--> 41536000020,14,14,
--> 51536000000,15,15,
--> 41536900000,13,,2107483648
--> 41536000000,12,,2146483648
--> 0,3,,
--> 20,2,,
--> 40,1,,
--> 80,9,,
--> 100,8,,
--> 31536000000,6,,
--> 31536000100,10,,
--> 31536000500,4,,
--> 31536001000,5,,
--> 31536010000,7,,
--> 31536100000,11,,
CREATE TIMESERIES root.nu.d.v WITH DATATYPE=INT32;
CREATE TIMESERIES root.nu.d.w WITH DATATYPE=INT32;
insert into root.nu.d(time, v, w) values (1, 2, 0), (2, null, 0), (3, 1, 0);
select v, w from root.nu.d order by v;
--> Time,root.nu.d.v,root.nu.d.w
--> 3,1,0
--> 1,2,0
--> 2,,0
select v, w from root.nu.d order by v desc;
--> Time,root.nu.d.v,root.nu.d.w
--> 1,2,0
--> 3,1,0
--> 2,,0
select v, w from root.nu.d order by v nulls first;
--> Time,root.nu.d.v,root.nu.d.w
--> 2,,0
--> 3,1,0
--> 1,2,0
select v, w from root.nu.d order by v desc nulls first;
--> Time,root.nu.d.v,root.nu.d.w
--> 2,,0
--> 1,2,0
--> 3,1,0
select v, w from root.nu.d order by v asc nulls last;
--> Time,root.nu.d.v,root.nu.d.w
--> 3,1,0
--> 1,2,0
--> 2,,0
-- What is refused.
select num from root.sg.d order by avg(bigNum);
--! hybrid
select avg(num) from root.sg.d order by bigNum;
--! hybrid
select bigNum, floatNum from root.sg.d order by s1;
--! s1 in order by clause doesn't exist
select bigNum, floatNum from root.** order by bigNum;
--! in order by clause shouldn't refer to more than one timeseries
select bigNum, floatNum from root.** order by s1 align by device;
--! s1 in order by clause doesn't exist
