// Package iotdb runs the MQTT sink against a real Apache IoTDB, as the trigger
// page of IoTDB 0.13 does.
package iotdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/local"
	"github.com/tickwell/tickwell/sink/mqtt"
	"github.com/tickwell/tickwell/window"
)

var shared struct {
	once sync.Once
	dir  string
	*server.IoTDB
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if db := shared.IoTDB; db != nil {
		if err := db.Down(context.Background()); err != nil {
			fmt.Println(err)
		}
		for _, s := range []*server.Server{db.Config, db.Data} {
			fmt.Printf("%s\n%s\n", s.Spec.Name, strings.Join(s.Journal(), "\n"))
		}
	}
	if shared.dir != "" {
		os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// start returns the server, running.
func start(t testing.TB) *server.IoTDB {
	t.Helper()
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "tickwell-iotdb-"); shared.err != nil {
			return
		}
		if shared.IoTDB, shared.err = server.NewIoTDB(context.Background(), shared.dir); shared.err == nil {
			shared.err = shared.Up(context.Background())
		}
	})
	if errors.Is(shared.err, server.ErrMissing) {
		t.Skip(shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.IoTDB
}

func remote(db *server.IoTDB) *mqtt.Sink {
	return &mqtt.Sink{
		Broker: db.Data.Addr("mqtt"), Username: "root", Password: sink.NewSecret("root"),
		Topic: "test", QoS: mqtt.ExactlyOnce, Device: "root.alerting", Measurements: []string{"remote"},
	}
}

// TestWindowAverageAlerter is the example of the page: of ten points, five a
// window, the average of the second is above the limit, and 14.0 at the window's
// first time stands in root.alerting.local and, over MQTT, root.alerting.remote.
func TestWindowAverageAlerter(t *testing.T) {
	iotdb := start(t)
	t.Logf("%q", iotdb.Query(t, "show version"))
	ctx := trial.Within(t)
	lo, hi := 0.0, 10.0
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Logger: slog.New(slog.DiscardHandler),
		Sinks: []tickwell.SinkSpec{
			{Name: "local", Sink: &local.Sink{Device: "root.alerting", Columns: []tickwell.ColumnInfo{{Name: "local", Kind: tickwell.KindFloat64}}}},
			{Name: "remote", Sink: remote(iotdb)},
		},
		Triggers: []tickwell.TriggerSpec{{
			Name: "window-avg-alerter", Pattern: "root.sg1.d1.s1",
			Trigger: tickwell.OnWindow(window.Count(5), &window.Options[float64]{Strict: true}, func(_ context.Context, f *tickwell.Firing, series string, w window.Window[float64]) error {
				avg := 0.0
				for _, v := range w.Values() {
					avg += v
				}
				if avg /= float64(w.Len()); avg < lo || hi < avg {
					f.Emit(tickwell.Event{Series: series, Time: time.Unix(0, w.Time(0)).UTC(), Fields: []tickwell.Field{tickwell.Float64("local", avg)}})
				}
				return nil
			}),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range 10 {
		if err := db.Insert(ctx, "root.sg1.d1", time.UnixMilli(int64(i+1)), tickwell.Float64("s1", float64(2*i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Quiesce(ctx); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
	want := []string{"Time\troot.alerting.remote", "6\t14.0"}
	if got := await(t, iotdb, "select * from root.alerting", want); !slices.Equal(got, want) {
		t.Errorf("IoTDB has %q, want %q", got, want)
	}
	points, err := db.Last(ctx, "root.alerting.*")
	if err != nil {
		t.Fatal(err)
	}
	if len(points) != 1 || points[0].Path() != "root.alerting.local" || points[0].Time.UnixMilli() != 6 || points[0].Value.Float64() != 14 {
		t.Errorf("our own store has %+v, want 14.0 at 6 ms", points)
	}
}

// await runs a query until it gives what is wanted, for a while: IoTDB
// makes a database for the first row, and shows it seconds after it has
// acknowledged the message.
func await(t testing.TB, iotdb *server.IoTDB, query string, want []string) (got []string) {
	t.Helper()
	shell := &server.IoTDBShell{DB: iotdb}
	defer shell.Close()
	ctx := trial.Within(t)
	_ = server.Poll(ctx, func() (bool, error) {
		var err error
		got, err = shell.Query(ctx, query)
		return slices.Equal(got, want), err
	})
	return got
}

// TestWrongPassword holds that IoTDB refuses one, and that it is not told.
func TestWrongPassword(t *testing.T) {
	s := remote(start(t))
	s.Password = sink.NewSecret("c4nAry-wr0ng")
	err := s.Open(trial.Within(t))
	if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, s), "c4nAry") {
		t.Errorf("%v, want an error without the password", err)
	}
	t.Log(err)
	s.Close(context.Background())
}
