package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/sink/webhook"
)

// A cluster grows when the load is above 80 % and shrinks when it has fallen
// below 50: the gap between the two keeps it from going up and down with every
// wave. Nobody is asked.
func ExampleSink_scaleCluster() {
	nodes := 3
	autoscaler := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"firing"`) {
			nodes++
		} else {
			nodes--
		}
		fmt.Printf("%s: %d nodes\n", body, nodes)
	}))
	defer autoscaler.Close()

	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{{Name: "autoscaler", Sink: &webhook.Sink{
			URL: autoscaler.URL + "/scale", Body: `{"load": {{.value}}, "state": "{{.status}}"}`,
		}}},
		Triggers: []tickwell.TriggerSpec{alert.Rule{Name: "load", Condition: alert.Above(80, 50)}.Spec("root.cluster.load")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for i, load := range []float64{40, 85, 79, 90, 60, 45, 55} {
		if err := db.Insert(ctx, "root.cluster", time.Unix(int64(i), 0), tickwell.Float64("load", load)); err != nil {
			fmt.Println(err)
		}
	}
	if err := db.Shutdown(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"load": 85, "state": "firing"}: 4 nodes
	// {"load": 45, "state": "resolved"}: 3 nodes
}
