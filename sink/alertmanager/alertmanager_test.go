package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/standin"
)

// classic is what label names Alertmanager before 0.27 accepts.
var classic = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// alertmanager is a stand-in that checks what the real one checks. Like it, it
// takes the good alerts of a batch that it refuses.
func alertmanager(t *testing.T) *standin.Server {
	s := standin.New()
	t.Cleanup(s.Close)
	s.Always(func(w http.ResponseWriter, r *http.Request) {
		var alerts []struct {
			Labels, Annotations map[string]string
			StartsAt, EndsAt    time.Time
			GeneratorURL        string
		}
		d := json.NewDecoder(strings.NewReader(standin.Body(r)))
		d.DisallowUnknownFields()
		if err := d.Decode(&alerts); err != nil {
			standin.Answer(400, fmt.Sprintf(`{"code":601,"message":%q}`, err))(w, r)
			return
		}
		for _, a := range alerts {
			for name := range a.Labels {
				if !classic.MatchString(name) || name == "refused" { // the one is what the sink leaves to the server
					standin.Answer(400, fmt.Sprintf(`"invalid label set: invalid name %s"`, name))(w, r)
					return
				}
			}
			if !a.EndsAt.IsZero() && a.StartsAt.After(a.EndsAt) {
				standin.Answer(400, `"start time must be before end time"`)(w, r)
				return
			}
		}
		standin.Answer(200, "")(w, r)
	})
	return s
}

func open(t *testing.T, s *Sink) *Sink {
	t.Helper()
	if err := errors.Join(s.Validate(), s.Open(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func attempt(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Errorf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(want, err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("sent %s\nwant %s", got, want)
	}
}

var (
	at     = time.Date(2022, 1, 23, 10, 0, 0, 123_000_000, time.FixedZone("", 3600))
	labels = map[string]string{"severity": "critical", "series": "root.ln.wt01.wf01.temperature", "value": "100.0"}
)

func with(name string, more map[string]string) map[string]string {
	m := map[string]string{"alertname": name}
	maps.Copy(m, more)
	return m
}

func TestBodies(t *testing.T) {
	const critical = `"severity":"critical","series":"root.ln.wt01.wf01.temperature","value":"100.0"`
	for _, c := range []struct {
		name string
		sink Sink
		e    tickwell.Event
		want string
	}{
		// The three examples of the documents.
		{"test0", Sink{}, tickwell.Event{Labels: with("test0", nil)}, `[{"labels":{"alertname":"test0"}}]`},
		{"test1", Sink{}, tickwell.Event{Labels: with("test1", labels)}, `[{"labels":{` + critical + `,"alertname":"test1"}}]`},
		{"test2", Sink{}, tickwell.Event{Labels: with("test2", labels), Notes: map[string]string{"summary": "high temperature", "description": "{{.alertname}}: {{.series}} is {{.value}}"}},
			`[{"labels":{` + critical + `,"alertname":"test2"},"annotations":{"summary":"high temperature","description":"test2: root.ln.wt01.wf01.temperature is 100.0"}}]`},

		{"name of the sink", Sink{Alert: "a"}, tickwell.Event{Source: "t"}, `[{"labels":{"alertname":"a"}}]`},
		{"name of the trigger", Sink{}, tickwell.Event{Source: "t"}, `[{"labels":{"alertname":"t"}}]`},
		{"said to sink/mqtt", Sink{}, tickwell.Event{Source: "t", Labels: map[string]string{"mqtt.topic": "a/b", "mqtt.qos": "1", "x": "1"}}, `[{"labels":{"alertname":"t","x":"1"}}]`},
		{"label before name", Sink{Alert: "a"}, tickwell.Event{Labels: with("l", nil), Source: "t"}, `[{"labels":{"alertname":"l"}}]`},
		{"firing", Sink{}, tickwell.Event{Source: "t", Time: at, Status: tickwell.StatusFiring}, `[{"labels":{"alertname":"t"},"startsAt":"2022-01-23T09:00:00.123Z"}]`},
		{"firing for an hour", Sink{Hold: time.Hour}, tickwell.Event{Source: "t", Time: at, Status: tickwell.StatusFiring},
			`[{"labels":{"alertname":"t"},"startsAt":"2022-01-23T09:00:00.123Z","endsAt":"2022-01-23T10:00:00.123Z"}]`},
		{"resolved", Sink{Hold: time.Hour}, tickwell.Event{Source: "t", Time: at, Status: tickwell.StatusResolved}, `[{"labels":{"alertname":"t"},"endsAt":"2022-01-23T09:00:00.123Z"}]`},
		{"no status", Sink{Hold: time.Hour}, tickwell.Event{Source: "t", Time: at}, `[{"labels":{"alertname":"t"}}]`},
		{"defaults of the sink", Sink{Labels: map[string]string{"team": "x", "severity": "low"}, Annotations: map[string]string{"a": "{{.team}} {{.n}}", "b": "own"}, GeneratorURL: "http://g/?a=b&c"},
			tickwell.Event{Source: "t", Labels: map[string]string{"severity": "high"}, Notes: map[string]string{"b": "event's"}, Fields: []tickwell.Field{tickwell.Int64("n", 3), tickwell.Text("team", "field")}},
			`[{"labels":{"alertname":"t","team":"x","severity":"high"},"annotations":{"a":"x 3","b":"event's"},"generatorURL":"http://g/?a=b&c"}]`},
		{"literal replacement", Sink{}, tickwell.Event{Source: "t", Labels: map[string]string{"v": `$1 \0 {{.w}} "é热"`, "w": "W"}, Notes: map[string]string{"a": "<{{.v}}>", "b": "[{{.nowhere}}]", "c": "{{ $x }} {{.v", "d": "{{ .w }}"}},
			`[{"labels":{"alertname":"t","v":"$1 \\0 {{.w}} \"é热\"","w":"W"},"annotations":{"a":"<$1 \\0 {{.w}} \"é热\">","b":"[]","c":"{{ $x }} {{.v","d":"W"}}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := alertmanager(t)
			s := &c.sink
			s.URL = srv.URL
			sinkLabels, eventLabels, notes := maps.Clone(s.Labels), maps.Clone(c.e.Labels), maps.Clone(c.e.Notes)
			if err := open(t, s).Handle(attempt(t), []tickwell.Event{c.e}); err != nil {
				t.Fatal(err)
			}
			r := srv.Accepted()
			if len(r) != 1 {
				t.Fatalf("%d requests, want one", len(r))
			}
			sameJSON(t, r[0].Body, c.want)
			if r[0].Method != "POST" || r[0].Path != "/api/v2/alerts" || r[0].Header.Get("Content-Type") != "application/json" || r[0].Header.Get("Accept") != "application/json" {
				t.Errorf("%s %s with %v", r[0].Method, r[0].Path, r[0].Header)
			}
			if !maps.Equal(s.Labels, sinkLabels) || !maps.Equal(c.e.Labels, eventLabels) || !maps.Equal(c.e.Notes, notes) {
				t.Error("the caller's maps were changed")
			}
		})
	}
}

func TestNoName(t *testing.T) {
	srv := alertmanager(t)
	s := open(t, &Sink{URL: srv.URL})
	err := s.Handle(attempt(t), []tickwell.Event{{ID: "1"}, {ID: "2", Source: "t"}})
	var p *deliver.Partial
	if !errors.As(err, &p) || !slices.Equal(p.Rejected, []int{0}) || !slices.Equal(p.Done, []int{1}) || !strings.Contains(p.Causes[0].Error(), "alertname") {
		t.Errorf("%v, want event 0 rejected for its name", err)
	}
	if got, want := srv.Bodies(), []string{`[{"labels":{"alertname":"t"}}]`}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// TestLabelNames holds that an event with a name that Alertmanager would answer
// with 400 is given up with an error that says which, and the others arrive.
func TestLabelNames(t *testing.T) {
	for name, good := range map[string]bool{
		"a": true, "_": true, "__a__": true, "aZ_09": true, "A": true,
		"": false, "0": false, "0a": false, "a-b": false, "a.b": false, "root.plant.press1": false, "a b": false, "a:b": false, "é": false, "a\xff": false, "a`b": false, "a\n": false,
	} {
		if labelName(name) != good {
			t.Errorf("%q: %v, want %v", name, !good, good)
		}
	}
	srv := alertmanager(t)
	s := open(t, &Sink{URL: srv.URL})
	one := map[string]string{"x": "1"}
	err := s.Handle(attempt(t), []tickwell.Event{
		{ID: "0", Source: "t", Labels: map[string]string{"z": "", "a-b": "1"}}, {ID: "1", Source: "t", Labels: one}, {ID: "2", Source: "t", Notes: map[string]string{"root.plant": "n"}},
	})
	var p *deliver.Partial
	if !errors.As(err, &p) || !slices.Equal(p.Rejected, []int{0, 2}) || !slices.Equal(p.Done, []int{1}) {
		t.Fatalf("%v, want events 0 and 2 rejected", err)
	}
	for i, want := range map[int]string{0: `event "0": the name "a-b" of a label`, 2: `event "2": the name "root.plant" of a label`} {
		if p.Causes[i] == nil || !strings.Contains(p.Causes[i].Error(), want) || !errors.Is(p.Causes[i], tickwell.ErrBadInput) {
			t.Errorf("%v, want %s", p.Causes[i], want)
		}
	}
	if got, want := srv.Bodies(), []string{`[{"labels":{"alertname":"t","x":"1"}}]`}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

// TestThroughTheStore holds that a batch goes as one array, that a bad alert
// does not keep the others from arriving, and that order is kept.
func TestThroughTheStore(t *testing.T) {
	srv := alertmanager(t)
	var dead []string
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Logger: slog.New(slog.DiscardHandler),
		Sinks: []tickwell.SinkSpec{{Name: "am", Sink: &Sink{URL: srv.URL}, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
			dead = append(dead, d.Event.ID+" "+d.Cause)
			return nil
		}}},
		Triggers: []tickwell.TriggerSpec{{Name: "hot", Pattern: "root.*.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, at := range f.Times {
				e := tickwell.Event{Series: f.Device, Time: time.Unix(0, at), Labels: map[string]string{"series": f.Device}, Status: tickwell.StatusFiring}
				switch v := f.Float64s("v")[i]; v {
				case 0:
					e.Status = tickwell.StatusResolved
				case -1:
					e.Labels["refused"] = "x"
				}
				f.Emit(e)
			}
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tab := &tickwell.Tablet{Device: "root.d", Times: []int64{1, 2, 3, 4}, Columns: []tickwell.Column{{Name: "v", Data: tickwell.Float64s{9, -1, 8, 0}}}}
	if err := db.InsertTablet(t.Context(), tab); err != nil {
		t.Fatal(err)
	}
	if err := db.Quiesce(attempt(t)); err != nil {
		t.Fatal(err)
	}
	if len(dead) != 1 || !strings.HasPrefix(dead[0], "hot|root.d|2|0|0|firing permanent: ") || !strings.Contains(dead[0], "invalid name refused") {
		t.Errorf("dead letters %q, want the one that is refused and what the server said", dead)
	}
	var got []string
	for _, body := range srv.Bodies() {
		got = append(got, strings.Trim(body, "[]"))
	}
	want := `{"labels":{"alertname":"hot","series":"root.d"},"startsAt":"1970-01-01T00:00:00.000000001Z"},` +
		`{"labels":{"alertname":"hot","series":"root.d"},"startsAt":"1970-01-01T00:00:00.000000003Z"},` +
		`{"labels":{"alertname":"hot","series":"root.d"},"endsAt":"1970-01-01T00:00:00.000000004Z"}`
	if all := strings.Join(got, ","); all != want {
		t.Errorf("accepted\n%s\nwant\n%s", all, want)
	}
}

func TestReplicas(t *testing.T) {
	ok, bad, gone, lost := standin.Answer(200, ""), standin.Answer(400, "x"), standin.Answer(410, ""), standin.Reset()
	for _, c := range []struct {
		name  string
		steps []standin.Step
		class deliver.Class
	}{
		{"all accept", []standin.Step{ok, ok, ok}, deliver.Delivered},
		{"one accepts", []standin.Step{lost, bad, ok}, deliver.Delivered},
		{"first accepts", []standin.Step{ok, lost, lost}, deliver.Delivered},
		{"none can be reached", []standin.Step{lost, lost, lost}, deliver.ClassRetry},
		{"one may accept later", []standin.Step{bad, lost, gone}, deliver.ClassRetry},
		{"all refuse", []standin.Step{bad, bad, bad}, deliver.ClassPermanent},
	} {
		var all []*standin.Server
		s := &Sink{}
		for i, step := range c.steps {
			srv := alertmanager(t)
			srv.Always(step)
			all = append(all, srv)
			if i == 0 {
				s.URL = srv.URL
			} else {
				s.Replicas = append(s.Replicas, srv.URL)
			}
		}
		err := open(t, s).Handle(attempt(t), []tickwell.Event{{Source: "t"}})
		if class, _ := deliver.Classify(err); class != c.class {
			t.Errorf("%s: %v of class %v, want %v", c.name, err, class, c.class)
		}
		for i, srv := range all {
			if n := len(srv.Requests()); n != 1 {
				t.Errorf("%s: replica %d got %d requests, want 1", c.name, i, n)
			}
		}
	}
}

// TestOldPath holds what the URL of the documents does with an old server and
// with a new one.
func TestOldPath(t *testing.T) {
	srv := alertmanager(t)
	s := open(t, &Sink{URL: srv.URL + "/api/v1/alerts"})
	srv.Script(standin.Answer(200, `{"status":"success"}`), standin.Answer(410, `{"status":"deprecated"}`))
	if err := s.Handle(attempt(t), []tickwell.Event{{Source: "t"}}); err != nil {
		t.Error(err)
	}
	err := s.Handle(attempt(t), []tickwell.Event{{Source: "t"}})
	if class, _ := deliver.Classify(err); class != deliver.ClassDisabled || !strings.Contains(err.Error(), "/api/v2/alerts") {
		t.Errorf("%v, want disabled with the path that works", err)
	}
	for _, r := range srv.Requests() {
		if r.Path != "/api/v1/alerts" {
			t.Errorf("posted to %s", r.Path)
		}
	}
}

// TestReopen is multiAlertManagerReopenTest of the documents' code: handlers are
// opened and closed over one another.
func TestReopen(t *testing.T) {
	srv := alertmanager(t)
	a, b := &Sink{URL: srv.URL, Alert: "a"}, &Sink{URL: srv.URL, Alert: "b"}
	open(t, a)
	open(t, b)
	for range 2 {
		if err := a.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	err := a.Handle(attempt(t), []tickwell.Event{{}})
	if class, _ := deliver.Classify(err); class != deliver.ClassReconnect {
		t.Errorf("closed: %v", err)
	}
	open(t, a)
	if err := errors.Join(a.Handle(attempt(t), []tickwell.Event{{}}), b.Handle(attempt(t), []tickwell.Event{{}})); err != nil {
		t.Error(err)
	}
	if got, want := srv.Bodies(), []string{`[{"labels":{"alertname":"a"}}]`, `[{"labels":{"alertname":"b"}}]`}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name string
		sink Sink
		want string
	}{
		{"no URL", Sink{}, "no URL"},
		{"bad replica", Sink{URL: "http://h", Replicas: []string{"h:9093"}}, "neither http"},
		{"hold", Sink{URL: "http://h", Hold: -1}, "Hold"},
		{"annotation", Sink{URL: "http://h", Annotations: map[string]string{"a": "{{.x"}}, "annotation a"},
		{"no label name", Sink{URL: "http://h", Labels: map[string]string{"": "x"}}, `the name ""`},
		{"label name", Sink{URL: "http://h", Labels: map[string]string{"a-b": "x"}}, `the name "a-b"`},
		{"a path as label name", Sink{URL: "http://h", Labels: map[string]string{"root.plant.press1": "x"}}, `the name "root.plant.press1"`},
		{"name of an annotation", Sink{URL: "http://h", Annotations: map[string]string{"1st": "x"}}, `the name "1st"`},
		{"label", Sink{URL: "http://h", Labels: map[string]string{"a": "\xff"}}, "not UTF-8"},
		{"annotation name", Sink{URL: "http://h", Annotations: map[string]string{"\xff": "a"}}, `the name "\xff"`},
		{"alert", Sink{URL: "http://h", Alert: "\xff"}, "not UTF-8"},
		{"link", Sink{URL: "http://h", GeneratorURL: "here"}, "GeneratorURL"},
		{"replica twice", Sink{URL: "http://h", Replicas: []string{"http://a", "http://a"}}, "twice"},
		{"replica is the URL", Sink{URL: "http://h", Replicas: []string{"http://h/api/v2/alerts"}}, "twice"},
		{"zone", Sink{URL: "http://h", Template: sink.TemplateOptions{Zone: "Atlantis"}}, "Atlantis"},
		{"token", Sink{URL: "http://h", Token: sink.NewSecret("c4nAry\n")}, "line end"},
		{"header", Sink{URL: "http://h", Headers: map[string]string{"a": "b\n"}}, "control character"},
	} {
		err := c.sink.Validate()
		if !errors.Is(err, tickwell.ErrBadInput) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v, want ErrBadInput with %q", c.name, err, c.want)
		}
	}
	for url, want := range map[string]string{
		"http://h:9093": "http://h:9093/api/v2/alerts", "http://h/": "http://h/api/v2/alerts",
		"http://h/prefix/api/v2/alerts": "http://h/prefix/api/v2/alerts", "http://h/?a=b": "http://h/api/v2/alerts?a=b",
	} {
		if got := withPath(url); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
	spec := tickwell.SinkSpec{Batch: 3}
	(&Sink{}).Defaults(&spec)
	if !spec.Notify || spec.Batch != 3 {
		t.Errorf("defaults %+v", spec)
	}
}

// TestCanary holds that a server which repeats what it was sent gives nothing
// away: its answer is part of the error.
func TestCanary(t *testing.T) {
	srv := alertmanager(t)
	for _, status := range []int{400, 500, 410, 401} {
		srv.Always(standin.Echo(status))
		for _, s := range []*Sink{
			{URL: srv.URL + "/api/v2/alerts?key=c4nAry", User: "u", Password: sink.NewSecret("c4nAry x")},
			{URL: srv.URL, Token: sink.NewSecret("c4nAry")},
		} {
			err := open(t, s).Handle(attempt(t), []tickwell.Event{{Source: "t"}})
			dump := fmt.Sprintf("%v %+v %v %+v %#v", err, err, s, *s, *s)
			if err == nil || strings.Contains(dump, "c4nAry") || strings.Contains(dump, "dTpjNG5Bcnk") || !strings.Contains(dump, fmt.Sprint(status)) {
				t.Error(dump)
			}
		}
	}
}
