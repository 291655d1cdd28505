package pages_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
	"github.com/tickwell/tickwell/iotsql/pages"
)

func Example() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{Classes: pages.Triggers(), FunctionClasses: pages.Functions()})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	conn, err := iotsql.New(db, nil)
	if err != nil {
		panic(err)
	}
	for piece := range iotsql.Split(`
		CREATE FUNCTION example AS 'org.apache.iotdb.udf.UDTFExample';
		INSERT INTO root.sg.d1(time, s1, s2) VALUES (1, 1, 10), (2, 2, 20);
		SELECT s1, s2, example(s1, s2) FROM root.sg.d1;
	`) {
		res, err := conn.Exec(ctx, piece.Text)
		if err != nil {
			panic(err)
		}
		if err := res.WriteCSV(os.Stdout); err != nil {
			panic(err)
		}
	}
	// Output:
	// Time,root.sg.d1.s1,root.sg.d1.s2,"example(root.sg.d1.s1, root.sg.d1.s2)"
	// 1,1.0,10.0,11.0
	// 2,2.0,20.0,22.0
}

// The alerts of ClusterAlertingExample and AlertListener reach the sinks.
func TestAlerts(t *testing.T) {
	ctx := context.Background()
	var got []string
	sink := tickwell.SinkFunc(func(_ context.Context, events []tickwell.Event) error {
		for _, e := range events {
			got = append(got, fmt.Sprint(e.Labels["alertname"], " ", e.Labels["severity"], " ", e.Labels["series"], " ", e.Labels["value"]))
		}
		return nil
	})
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Classes: pages.Triggers(), FunctionClasses: pages.Functions(), Sinks: []tickwell.SinkSpec{{Name: "test", Sink: sink}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := iotsql.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"CREATE TIMESERIES root.sg1.d1.s1 WITH DATATYPE=DOUBLE, ENCODING=PLAIN",
		"CREATE STATELESS TRIGGER triggerTest BEFORE INSERT ON root.sg1.** AS 'org.apache.iotdb.trigger.ClusterAlertingExample'",
		"CREATE TRIGGER `alert-listener-sg1d1s1` AFTER INSERT ON root.sg1.d1.s1 AS 'org.apache.iotdb.db.engine.trigger.example.AlertListener' WITH ('lo' = '0', 'hi' = '100.0')",
		"INSERT INTO root.sg1.d1(time, s1) VALUES (1, 20), (2, 60), (3, 101), (4, -1)",
	} {
		if _, err := conn.Exec(ctx, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := db.Quiesce(ctx); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"alert_test warning root.ln.wf01.wt01.temperature 60", "alert_test critical root.ln.wf01.wt01.temperature 101",
		"alert-listener-sg1d1s1 warning root.sg1.d1.s1 101", "alert-listener-sg1d1s1 warning root.sg1.d1.s1 -1",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("alerts %q, want %q", got, want)
	}
}
