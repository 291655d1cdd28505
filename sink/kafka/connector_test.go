package kafka

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/tickwelltest"
)

// connector stands for Kafka Connect with Snowflake's sink connector: of a topic
// it makes a table of the same name, each record a row whose column
// RECORD_CONTENT holds the document, which must be a JSON object.
type connector struct {
	database, schema string
	tables           map[string][]map[string]json.RawMessage // RECORD_CONTENT by table
}

func (c *connector) run(t *testing.T, b *broker, topic string) {
	t.Helper()
	for _, r := range received(t, b, topic) {
		var content map[string]json.RawMessage
		if err := json.Unmarshal(r.Value, &content); err != nil {
			t.Fatalf("%s is no JSON object: %v", r.Value, err)
		}
		table := strings.Join([]string{c.database, c.schema, topic}, ".")
		c.tables[table] = append(c.tables[table], content)
	}
}

// downsampled is the view of the page:
//
//	select RECORD_CONTENT:time::timestamp_tz as time, RECORD_CONTENT:cid as cid, … from snowflake
type downsampled struct {
	Time                          time.Time
	CID                           string
	GasPercent, SpeedKmh, TotalKm float64
	InUse, Locked                 bool
}

// view flattens the rows of a table; a key that is missing or of another type is
// an error.
func (c *connector) view(t *testing.T, table string) []downsampled {
	t.Helper()
	var out []downsampled
	for _, row := range c.tables[table] {
		var d downsampled
		var at string
		for key, into := range map[string]any{
			"time": &at, "cid": &d.CID, "gas_percent": &d.GasPercent, "in_use": &d.InUse, "locked": &d.Locked, "speed_kmh": &d.SpeedKmh, "total_km": &d.TotalKm,
		} {
			if err := json.Unmarshal(row[key], into); err != nil {
				t.Fatalf("RECORD_CONTENT:%s of %s: %v", key, row, err)
			}
		}
		if len(row) != 7 {
			t.Errorf("%d keys in %s, want 7", len(row), row)
		}
		var err error
		if d.Time, err = time.Parse(time.RFC3339Nano, at); err != nil { // it needs a zone
			t.Errorf("%q::timestamp_tz: %v", at, err)
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b downsampled) int {
		return a.Time.Compare(b.Time)*2 + strings.Compare(a.CID, b.CID)
	})
	return out
}

func openQuiet(t *testing.T, o *tickwell.Options) *tickwell.DB {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	db, err := tickwell.Open(t.Context(), "", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestSnowflakeViaKafka is the first way to Snowflake of the Timeplus page, all of
// it up to the connector, for which connector stands: the query over
// car_live_data in tumbling windows of 2 s, grouped by car, sent to the topic
// snowflake, and the view downsampled over what the connector stores.
func TestSnowflakeViaKafka(t *testing.T) {
	b := newBroker(t)
	clock := tickwelltest.NewClock(time.Unix(1000, 0))
	db := openQuiet(t, &tickwell.Options{
		// An attempt must outlast what the test moves the clock by.
		Clock: clock, Sinks: []tickwell.SinkSpec{{Name: "kafka", Timeout: time.Hour, Sink: &Sink{Brokers: b.ListenAddrs(), Topic: "snowflake", Create: &NewTopic{Partitions: 2}}}},
	})
	type reading struct {
		at            int
		car           string
		speed, km, ga float64
		locked, use   bool
	}
	readings := []reading{
		{0, "c00001", 40, 10, 50, true, true}, {1, "c00001", 60, 12, 48, false, true},
		{0, "c00002", 10, 5, 20, true, true}, {1, "c00002", 20, 6, 20, true, true},
		{2, "c00001", 50, 14, 47, false, true}, {3, "c00002", 30, 7, 19, false, false},
		{4, "c00001", 55, 16, 46, false, true}, {5, "c00002", 35, 8, 18, false, false},
		{6, "c00001", 0, 16, 46, false, true}, {6, "c00002", 0, 8, 18, false, false}, // the third window is over
	}
	insert := func(r reading) {
		err := db.Insert(t.Context(), "root.car_live_data."+r.car, time.Unix(1000+int64(r.at), 0), tickwell.Text("cid", r.car), tickwell.Float64("speed_kmh", r.speed),
			tickwell.Float64("total_km", r.km), tickwell.Float64("gas_percent", r.ga), tickwell.Bool("locked", r.locked), tickwell.Bool("in_use", r.use))
		if err != nil {
			t.Fatal(err)
		}
	}
	col := expr.Col
	if err := db.CreateContinuousQuery(t.Context(), tickwell.CQSpec{
		Name: "downsample", AtEnd: true, Sinks: []string{"kafka"},
		Query: tickwell.Query{
			Select: []expr.Expr{
				expr.First(col("cid")).As("cid"), expr.Avg(col("speed_kmh")).As("speed_kmh"), expr.Max(col("total_km")).As("total_km"),
				expr.Avg(col("gas_percent")).As("gas_percent"), expr.Min(col("locked")).As("locked"), expr.Min(col("in_use")).As("in_use"),
			},
			From: []string{"root.car_live_data.*"}, AlignByDevice: true, GroupBy: tickwell.GroupByTime{Interval: 2 * time.Second},
		},
	}); err != nil {
		t.Fatal(err)
	}
	for _, r := range readings {
		clock.Advance(time.Second)
		insert(r)
	}
	settle(t, db)

	stored := &connector{database: "DEMO", schema: "PUBLIC", tables: map[string][]map[string]json.RawMessage{}}
	stored.run(t, b, "snowflake")
	at := func(s int64) time.Time { return time.Unix(1000+s, 0).UTC() }
	want := []downsampled{
		{at(2), "c00001", 49, 50, 12, true, false}, {at(2), "c00002", 20, 15, 6, true, true},
		{at(4), "c00001", 47, 50, 14, true, false}, {at(4), "c00002", 19, 30, 7, false, false},
		{at(6), "c00001", 46, 55, 16, true, false}, {at(6), "c00002", 18, 35, 8, false, false},
	}
	if got := stored.view(t, "DEMO.PUBLIC.snowflake"); !slices.Equal(got, want) {
		t.Errorf("the view has\n%v\nwant\n%v", got, want)
	}
}

func settle(t *testing.T, db *tickwell.DB) {
	t.Helper()
	if err := db.Quiesce(attemptCtx(t, 20*time.Second)); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
}

// TestEveryFiveSeconds is the first use of the page: least, largest and mean
// value of each device every five seconds.
func TestEveryFiveSeconds(t *testing.T) {
	b := newBroker(t)
	clock := tickwelltest.NewClock(time.Unix(1000, 0))
	db := openQuiet(t, &tickwell.Options{
		// An attempt must outlast what the test moves the clock by.
		Clock: clock, Sinks: []tickwell.SinkSpec{{Name: "kafka", Timeout: time.Hour, Sink: &Sink{Brokers: b.ListenAddrs(), Topic: "stats", Create: &NewTopic{Partitions: 1}}}},
	})
	v := expr.Col("v")
	if err := db.CreateContinuousQuery(t.Context(), tickwell.CQSpec{Name: "stats", Sinks: []string{"kafka"}, Query: tickwell.Query{
		Select: []expr.Expr{expr.Min(v).As("min"), expr.Max(v).As("max"), expr.Avg(v).As("avg")},
		From:   []string{"root.iot.*"}, AlignByDevice: true, GroupBy: tickwell.GroupByTime{Interval: 5 * time.Second},
	}}); err != nil {
		t.Fatal(err)
	}
	for i, x := range []float64{1, 2, 6} {
		for d, scale := range []float64{1, 10} {
			if err := db.Insert(t.Context(), fmt.Sprintf("root.iot.d%d", d), time.Unix(1000+int64(i), 0), tickwell.Float64("v", x*scale)); err != nil {
				t.Fatal(err)
			}
		}
	}
	clock.Advance(10 * time.Second)
	for d := range 2 {
		if err := db.Insert(t.Context(), fmt.Sprintf("root.iot.d%d", d), time.Unix(1007, 0), tickwell.Float64("v", 0)); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, db)
	var got []string
	for _, r := range received(t, b, "stats") {
		got = append(got, fmt.Sprintf("%s %s", r.Key, r.Value))
	}
	slices.Sort(got)
	want := []string{
		`root.iot.d0 {"time":"1970-01-01T00:16:40Z","min":1,"max":6,"avg":3}`,
		`root.iot.d1 {"time":"1970-01-01T00:16:40Z","min":10,"max":60,"avg":30}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
