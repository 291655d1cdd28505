// Package alertmanager has the tests of sink/alertmanager against Prometheus'
// Alertmanager. What it has taken is seen by a proxy between the two, and by what
// it shows and sends on itself.
package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/iotsql/pages"
	"github.com/tickwell/tickwell/sink/alertmanager"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestMain(m *testing.M) {
	trial.Main(m, func(s map[string]string) (tickwell.Sink, error) {
		return &alertmanager.Sink{URL: s["url"]}, nil
	})
}

// alert is one as the API shows it and webhooks tell of it.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Status      any               `json:"status"`
}

// world is an Alertmanager, a proxy in front of it, and a receiver behind it.
type world struct {
	*server.Server
	proxy string // URL

	mu       sync.Mutex
	accepted []alert // requests that it has answered 200
	told     []alert // what the receiver was told
}

func start(t *testing.T) *world { return startWith(t, server.AlertmanagerOptions{}) }

func startWith(t *testing.T, o server.AlertmanagerOptions) *world {
	t.Helper()
	w := &world{}
	hook := httptest.NewServer(http.HandlerFunc(w.hear))
	t.Cleanup(hook.Close)
	o.Hook = hook.URL
	w.Server = server.Start(t, server.Alertmanager(o))
	target, err := url.Parse("http://" + w.Addr("http"))
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(target)
	pass.ErrorHandler = func(rw http.ResponseWriter, _ *http.Request, _ error) { rw.WriteHeader(http.StatusBadGateway) }
	pass.ModifyResponse = func(r *http.Response) error {
		if r.StatusCode != http.StatusOK || r.Request.Method != http.MethodPost {
			return nil
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.accepted = append(w.accepted, r.Request.Context().Value(key{}).([]alert)...)
		return nil
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var alerts []alert
		if err == nil && r.Method == http.MethodPost {
			err = json.Unmarshal(body, &alerts)
		}
		if err != nil {
			t.Errorf("request %s: %v", body, err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		pass.ServeHTTP(rw, r.WithContext(context.WithValue(r.Context(), key{}, alerts)))
	}))
	t.Cleanup(proxy.Close)
	w.proxy = proxy.URL
	return w
}

// key is that of a request's alerts in its context.
type key struct{}

func (w *world) hear(_ http.ResponseWriter, r *http.Request) {
	var m struct{ Alerts []alert }
	if json.NewDecoder(r.Body).Decode(&m) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, m.Alerts...)
}

// ids are those of the events of accepted alerts, in order.
func (w *world) ids(*testing.T) (list []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.accepted {
		i, err := strconv.Atoi(a.Labels["row"])
		if err != nil {
			list = append(list, fmt.Sprint(a.Labels))
			continue
		}
		list = append(list, trial.ID(i))
	}
	return list
}

// shown returns the alerts that Alertmanager shows, by label row.
func (w *world) shown(t *testing.T) map[string]alert {
	t.Helper()
	resp, err := http.Get("http://" + w.Addr("http") + "/api/v2/alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list []alert
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]alert)
	for _, a := range list {
		if _, twice := shown[a.Labels["row"]]; twice {
			t.Errorf("two alerts with labels like %v", a.Labels)
		}
		shown[a.Labels["row"]] = a
	}
	return shown
}

func TestVersion(t *testing.T) {
	t.Log("note: " + start(t).VersionText)
}

// TestConformance is the suite of all sinks against the server.
func TestConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		w := start(t)
		return tickwelltest.SinkTarget{
			New:      func(*testing.T) tickwell.Sink { return &alertmanager.Sink{URL: w.proxy} },
			Received: w.ids,
			Down:     func(t *testing.T) { w.Stop(t) },
			Up:       func(t *testing.T) { w.Start(t) },
		}
	})
}

// TestKilled has our own process killed while alerts are on their way. In the end
// Alertmanager shows each, once: the same labels are the same alert.
func TestKilled(t *testing.T) {
	w := start(t)
	const n = 600
	trial.Kill(t, map[string]string{"url": w.proxy}, n, 3, w.ids)
	shown := w.shown(t)
	for i := range n {
		if _, ok := shown[fmt.Sprint(i)]; !ok {
			t.Errorf("row %d is not shown", i)
		}
	}
	if len(shown) != n {
		t.Errorf("%d alerts are shown, want %d", len(shown), n)
	}
}

// TestRestarts stops, kills and starts Alertmanager again while rows come in. It
// forgets its alerts; what counts is that each was taken.
func TestRestarts(t *testing.T) {
	w := start(t)
	db, err := tickwell.Open(t.Context(), t.TempDir(), trial.Options(&alertmanager.Sink{URL: w.proxy}))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const n = 400
	for i := range n {
		if err := trial.Insert(t.Context(), db, i); err != nil {
			t.Fatal(err)
		}
		switch i {
		case 100:
			w.Restart(t)
		case 250:
			w.Crash()
			w.Start(t)
		}
	}
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
	again := trial.Check(t, n, w.ids(t))
	t.Logf("%d rows over a restart and a crash: all taken in order, %d more than once", n, again)
}

// TestWrongCredentials holds that Alertmanager's 401 leaves the alerts where they
// are until the password is put right.
func TestWrongCredentials(t *testing.T) {
	w := startWith(t, server.AlertmanagerOptions{User: "plant", Password: "c4nAry-pa55"})
	secret, right := trial.Secret("wr0ng-pa55", "c4nAry-pa55")
	trial.WrongCredentials(t, trial.Wrong{
		Sink: &alertmanager.Sink{URL: w.proxy, User: "plant", Password: secret},
		Says: "401", Password: "wr0ng-pa55", Right: right, Received: w.ids,
	})
}

// TestPoison holds that alerts which Alertmanager refuses (a label name that it
// does not take) go to the dead letters and hold nothing up.
func TestPoison(t *testing.T) {
	w := start(t)
	var dead []string
	o := trial.Options(&alertmanager.Sink{URL: w.proxy})
	o.Sinks[0].DeadLetter = func(_ context.Context, d tickwell.DeadLetter) error {
		dead = append(dead, fmt.Sprint(d.Event.Time.UnixNano(), " ", d.Cause))
		return nil
	}
	o.Triggers[0].Trigger = tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
		for _, at := range f.Times {
			labels := map[string]string{"alertname": "trial", "row": fmt.Sprint(at)}
			if at == 7 {
				labels["no name!"] = "x"
			}
			f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, at), Labels: labels})
		}
		return nil
	})
	db, err := tickwell.Open(t.Context(), "", o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range 20 {
		if err := trial.Insert(t.Context(), db, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
	got := w.ids(t)
	for i := range 20 {
		if slices.Contains(got, trial.ID(i)) != (i != 7) {
			t.Errorf("row %d was taken: %v", i, i == 7)
		}
	}
	if len(dead) != 1 || !strings.HasPrefix(dead[0], "7 ") {
		t.Errorf("dead letters %q, want row 7", dead)
	}
	t.Log(dead)
}

// TestIdentity holds that labels identify an alert: the same twice is one, a
// changed label is a second, and a resolved one ends.
func TestIdentity(t *testing.T) {
	w := start(t)
	s := &alertmanager.Sink{URL: w.proxy}
	if err := s.Open(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	event := func(row, severity string, status tickwell.Status, at time.Time) tickwell.Event {
		return tickwell.Event{ID: row, Series: "root.d", Time: at, Status: status, Labels: map[string]string{"alertname": "a", "row": row, "severity": severity}}
	}
	now := time.Now()
	if err := s.Handle(trial.Within(t), []tickwell.Event{
		event("1", "warning", tickwell.StatusFiring, now), event("1", "warning", tickwell.StatusFiring, now), event("2", "warning", tickwell.StatusFiring, now),
	}); err != nil {
		t.Fatal(err)
	}
	if shown := w.shown(t); len(shown) != 2 {
		t.Errorf("%d alerts are shown, want 2: %v", len(shown), shown)
	}
	if err := s.Handle(trial.Within(t), []tickwell.Event{event("1", "warning", tickwell.StatusResolved, time.Now())}); err != nil {
		t.Fatal(err)
	}
	err := server.Poll(trial.Within(t), func() (bool, error) {
		_, still := w.shown(t)["1"]
		_, other := w.shown(t)["2"]
		return !still && other, nil
	})
	if err != nil {
		t.Errorf("the resolved alert is still shown, or the other is not: %v", w.shown(t))
	}
}

// TestClusterAlertingExample is the trigger of the 1.2 page, made by the page's
// class name, with an Alertmanager that tells a receiver of the alerts.
func TestClusterAlertingExample(t *testing.T) {
	w := start(t)
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{{Name: "alertmanager", Sink: &alertmanager.Sink{URL: "http://" + w.Addr("http") + "/api/v2/alerts"}}},
		Triggers: []tickwell.TriggerSpec{{
			Name: "triggerTest", Pattern: "root.ln.wf01.wt01.temperature", When: tickwell.BeforeInsert,
			Trigger: pages.Triggers()["org.apache.iotdb.trigger.ClusterAlertingExample"](),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i, v := range []float64{49.5, 50, 75, 100, 100.5} {
		if err := db.Insert(t.Context(), "root.ln.wf01.wt01", time.Unix(int64(i), 0), tickwell.Float64("temperature", v)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"75": "warning", "100": "warning", "100.5": "critical"}
	got := make(map[string]alert)
	err = server.Poll(trial.Within(t), func() (bool, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, a := range w.told {
			got[a.Labels["value"]] = a
		}
		return len(got) >= len(want), nil
	})
	if err != nil {
		t.Errorf("%v: the receiver was told of %v", err, got)
	}
	for value, a := range got {
		labels := map[string]string{
			"alertname": "alert_test", "series": "root.ln.wf01.wt01.temperature", "severity": want[value], "value": value,
		}
		annotations := map[string]string{
			"summary": "high temperature", "description": "alert_test: root.ln.wf01.wt01.temperature is " + value,
		}
		if fmt.Sprint(a.Labels) != fmt.Sprint(labels) || fmt.Sprint(a.Annotations) != fmt.Sprint(annotations) || a.Status != "firing" {
			t.Errorf("told of %+v, want %v %v firing", a, labels, annotations)
		}
	}
	if len(got) != 3 {
		t.Errorf("told of %d alerts, want 3: %v", len(got), got)
	}
}
