package tickwell_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/alertmanager"
)

// clusterAlerting is ClusterAlertingExample of the IoTDB 1.2 page.
type clusterAlerting struct {
	name          string
	labels, notes map[string]string
}

func (a *clusterAlerting) OnCreate(context.Context, tickwell.Env) error {
	a.name = "alert_test"
	a.labels = map[string]string{"series": "root.ln.wf01.wt01.temperature", "value": "", "severity": ""}
	a.notes = map[string]string{"summary": "high temperature", "description": "{{.alertname}}: {{.series}} is {{.value}}"}
	return nil
}

func (a *clusterAlerting) Fire(_ context.Context, f *tickwell.Firing) error {
	for _, c := range f.Columns {
		values, ok := c.Data.(tickwell.Float64s)
		if !ok {
			continue
		}
		for i, v := range values {
			severity := "warning"
			switch {
			case c.Nulls.Get(i) || !(v > 50):
				continue
			case v > 100:
				severity = "critical"
			}
			f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[i]), Notes: a.notes, Labels: map[string]string{
				"alertname": a.name, "series": a.labels["series"], "severity": severity, "value": strconv.FormatFloat(v, 'f', -1, 64)}})
		}
	}
	return nil
}

func TestClusterAlertingExample(t *testing.T) {
	ctx := context.Background()
	var mu sync.Mutex
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var alerts []struct{ Labels, Annotations map[string]string }
		if err := json.Unmarshal(body, &alerts); err != nil || r.URL.Path != "/api/v2/alerts" {
			t.Errorf("%s got %s: %v", r.URL.Path, body, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, a := range alerts {
			got = append(got, fmt.Sprint(a.Labels["severity"], " ", a.Labels["value"], " | ", a.Annotations["summary"], " | ", a.Annotations["description"]))
		}
	}))
	defer server.Close()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Sinks:   []tickwell.SinkSpec{{Name: "alertmanager", Sink: &alertmanager.Sink{URL: server.URL + "/api/v2/alerts"}}},
		Classes: map[string]func() tickwell.Trigger{"org.apache.iotdb.trigger.ClusterAlertingExample": func() tickwell.Trigger { return new(clusterAlerting) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(db.CreateTrigger(ctx, tickwell.TriggerSpec{Name: "triggerTest", When: tickwell.AfterInsert, Pattern: "root.ln.**", Class: "org.apache.iotdb.trigger.ClusterAlertingExample",
		Params: tickwell.Params{"name": "trigger", "limit": "100"}}))
	line := func(severity, value string) string {
		return severity + " " + value + " | high temperature | alert_test: root.ln.wf01.wt01.temperature is " + value
	}
	for _, c := range []struct {
		what string
		rows *tickwell.Tablet
		want []string
	}{
		{"critical", tablet(tickwell.Float64s{100.5}), []string{line("critical", "100.5")}},
		{"warning", tablet(tickwell.Float64s{75}), []string{line("warning", "75")}},
		{"exactly 100", tablet(tickwell.Float64s{100}), []string{line("warning", "100")}},
		{"50 and less", tablet(tickwell.Float64s{50, 10, -1}), nil},
		{"other kinds", &tickwell.Tablet{Device: "root.ln.wf01.wt01", Times: []int64{1}, Columns: []tickwell.Column{{Name: "n", Data: tickwell.Int64s{1000}}, {Name: "f", Data: tickwell.Float32s{1000}}, {Name: "t", Data: tickwell.Texts{"1000"}}}}, nil},
		{"three rows", tablet(tickwell.Float64s{101, 60, 102}), []string{line("critical", "101"), line("warning", "60"), line("critical", "102")}},
		{"a null", withNull(tablet(tickwell.Float64s{101, 999, 102})), []string{line("critical", "101"), line("critical", "102")}},
	} {
		check(db.InsertTablet(ctx, c.rows))
		check(db.Quiesce(ctx))
		mu.Lock()
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: alerts %q, want %q", c.what, got, c.want)
		}
		got = nil
		mu.Unlock()
	}
}

func tablet(v tickwell.Float64s) *tickwell.Tablet {
	t := &tickwell.Tablet{Device: "root.ln.wf01.wt01", Columns: []tickwell.Column{{Name: "temperature", Data: v}}}
	for i := range v {
		t.Times = append(t.Times, int64(i+1))
	}
	return t
}

func withNull(t *tickwell.Tablet) *tickwell.Tablet {
	t.Columns[0].Nulls.Set(1)
	return t
}
