package alertmanager_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/alertmanager"
)

// clusterAlerting is ClusterAlertingExample of the IoTDB 1.2 trigger page: each
// double above 100 is a critical alert, each above 50 a warning.
type clusterAlerting struct {
	name        string
	labels      map[string]string
	annotations map[string]string
}

// OnCreate prepares what all alerts have in common.
func (a *clusterAlerting) OnCreate(context.Context, tickwell.Env) error {
	a.name = "alert_test"
	a.labels = map[string]string{"series": "root.ln.wf01.wt01.temperature", "value": "", "severity": ""}
	a.annotations = map[string]string{
		"summary": "high temperature", "description": "{{.alertname}}: {{.series}} is {{.value}}",
	}
	return nil
}

// Fire looks at the columns of doubles.
func (a *clusterAlerting) Fire(_ context.Context, f *tickwell.Firing) error {
	for _, c := range f.Columns {
		values, ok := c.Data.(tickwell.Float64s)
		if !ok {
			continue
		}
		for i, v := range values {
			severity := "critical"
			switch {
			case c.Nulls.Get(i) || v <= 50:
				continue
			case v <= 100:
				severity = "warning"
			}
			f.Emit(tickwell.Event{
				Series: f.Device, Time: time.Unix(0, f.Times[i]), Notes: a.annotations,
				Labels: map[string]string{
					"alertname": a.name, "series": a.labels["series"], "severity": severity,
					"value": strconv.FormatFloat(v, 'f', 1, 64),
				},
			})
		}
	}
	return nil
}

// The trigger of the page, with a server that prints what it is sent in the
// place of an Alertmanager.
func Example_clusterAlerting() {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %s\n%s\n", r.Method, r.URL.Path, body)
	}))
	defer server.Close()

	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{{
			Name: "alertmanager", Batch: 1, Sink: &alertmanager.Sink{URL: server.URL + "/api/v2/alerts"},
		}},
		Triggers: []tickwell.TriggerSpec{{
			Name: "triggerTest", Pattern: "root.ln.wf01.wt01.temperature", When: tickwell.BeforeInsert, Trigger: new(clusterAlerting),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for i, v := range []float64{49.5, 50, 50.5, 100, 100.5} {
		err := db.Insert(ctx, "root.ln.wf01.wt01", time.Unix(int64(i), 0), tickwell.Float64("temperature", v))
		if err != nil {
			fmt.Println(err)
		}
	}
	if err := db.Shutdown(ctx); err != nil { // delivers what is still on its way
		fmt.Println(err)
	}
	// Output:
	// POST /api/v2/alerts
	// [{"labels":{"alertname":"alert_test","series":"root.ln.wf01.wt01.temperature","severity":"warning","value":"50.5"},"annotations":{"description":"alert_test: root.ln.wf01.wt01.temperature is 50.5","summary":"high temperature"}}]
	// POST /api/v2/alerts
	// [{"labels":{"alertname":"alert_test","series":"root.ln.wf01.wt01.temperature","severity":"warning","value":"100.0"},"annotations":{"description":"alert_test: root.ln.wf01.wt01.temperature is 100.0","summary":"high temperature"}}]
	// POST /api/v2/alerts
	// [{"labels":{"alertname":"alert_test","series":"root.ln.wf01.wt01.temperature","severity":"critical","value":"100.5"},"annotations":{"description":"alert_test: root.ln.wf01.wt01.temperature is 100.5","summary":"high temperature"}}]
}
