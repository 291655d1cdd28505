package iotsql

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
)

var errDenied = errors.New("denied by the test")

type nothing struct{}

func (nothing) Fire(context.Context, *tickwell.Firing) error { return nil }

type identity struct{}

func (identity) BeforeStart(_ *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindFloat64).RowByRow()
	return nil
}

func (identity) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	return out.PutFloat64(row.UnixNano(), row.Float64(0))
}

// Each action is asked about when SQL does it, with what it is done to, and a
// refusal stops the statement before it has any effect.
func TestAuthorize(t *testing.T) {
	ctx := context.Background()
	setup := []string{
		"CREATE DATABASE root.sg",
		"CREATE TIMESERIES root.sg.d.s DOUBLE",
		"INSERT INTO root.sg.d(time, s) VALUES (1, 1), (2, 2)",
		"CREATE STATELESS TRIGGER old AFTER INSERT ON root.sg.d.* AS 'nothing'",
		"CREATE STATELESS TRIGGER stopped AFTER INSERT ON root.sg.d.* AS 'nothing'",
		"STOP TRIGGER stopped",
		"CREATE FUNCTION old AS 'identity'",
		"CREATE CQ old RESAMPLE EVERY 1h BEGIN SELECT s INTO root.cq.d(s) FROM root.sg.d END",
	}
	look := []string{
		"SHOW TRIGGERS", "SHOW FUNCTIONS", "SHOW CQS", "SHOW TIMESERIES", "SHOW DATABASES", "SHOW ALL TTL", "SELECT ** FROM root",
	}
	for _, c := range []struct {
		action tickwell.Action
		path   string
		text   string
	}{
		{tickwell.ActionWrite, "root.sg.d", "INSERT INTO root.sg.d(time, s) VALUES (3, 3)"},
		{tickwell.ActionWrite, "root.to.d", "SELECT s INTO root.to.d(s) FROM root.sg.d"},
		{tickwell.ActionRead, "root.sg.d.s", "SELECT s FROM root.sg.d"},
		{tickwell.ActionRead, "root.sg.d.s", "SELECT old(s) FROM root.sg.d"},
		{tickwell.ActionRead, "root.sg.d.s", "SELECT s INTO root.to.d(s) FROM root.sg.d"},
		{tickwell.ActionRead, "root.sg.d.s", "SELECT LAST s FROM root.sg.d"},
		{tickwell.ActionRead, "root.sg.d.s", "EXPLAIN SELECT s FROM root.sg.d"},
		{tickwell.ActionRead, "root.sg.**", "SHOW TIMESERIES root.sg.**"},
		{tickwell.ActionRead, "root.**", "SHOW DEVICES"},
		{tickwell.ActionRead, "root.**", "COUNT TIMESERIES"},
		{tickwell.ActionRead, "root.**", "SHOW CHILD PATHS root"},
		{tickwell.ActionCreateSeries, "root.sg.d.t", "CREATE TIMESERIES root.sg.d.t DOUBLE"},
		{tickwell.ActionCreateSeries, "root.al.d.t", "CREATE ALIGNED TIMESERIES root.al.d(t DOUBLE)"},
		{tickwell.ActionDelete, "root.sg.d.s", "DELETE FROM root.sg.d.s WHERE time = 1"},
		{tickwell.ActionDelete, "root.sg.d.*", "DELETE TIMESERIES root.sg.d.*"},
		{tickwell.ActionCreateDatabase, "root.new", "CREATE DATABASE root.new"},
		{tickwell.ActionCreateDatabase, "root.sg", "SET TTL TO root.sg 1000"},
		{tickwell.ActionCreateDatabase, "root.sg", "UNSET TTL TO root.sg"},
		{tickwell.ActionDropDatabase, "root.sg", "DELETE DATABASE root.sg"},
		{tickwell.ActionCreateTrigger, "root.sg.**", "CREATE STATEFUL TRIGGER t BEFORE INSERT ON root.sg.** AS 'nothing'"},
		{tickwell.ActionCreateTrigger, "root.sg.d.s", "CREATE TRIGGER t BEFORE INSERT ON root.sg.d.s AS 'nothing'"},
		{tickwell.ActionDropTrigger, "root.sg.d.*", "DROP TRIGGER old"},
		{tickwell.ActionStartTrigger, "root.sg.d.*", "START TRIGGER stopped"},
		{tickwell.ActionStopTrigger, "root.sg.d.*", "STOP TRIGGER old"},
		{tickwell.ActionCreateCQ, "c", "CREATE CQ c RESAMPLE EVERY 1h BEGIN SELECT s INTO root.cq.d(c) FROM root.sg.d END"},
		{tickwell.ActionDropCQ, "old", "DROP CQ old"},
		{tickwell.ActionShowCQ, "", "SHOW CONTINUOUS QUERIES"},
		{tickwell.ActionShowCQ, "", "SHOW CREATE CQ old"},
		{tickwell.ActionCreateFunc, "f", "CREATE FUNCTION f AS 'identity'"},
		{tickwell.ActionDropFunc, "old", "DROP FUNCTION old"},
	} {
		t.Run(string(c.action)+"/"+c.text, func(t *testing.T) {
			var deny tickwell.Action
			var asked []string
			conn := memory(t, &tickwell.Options{
				Classes:         map[string]func() tickwell.Trigger{"nothing": func() tickwell.Trigger { return nothing{} }},
				FunctionClasses: map[string]tickwell.FunctionSpec{"identity": {UDTF: func() tickwell.UDTF { return identity{} }}},
				Authorize: func(_ context.Context, a tickwell.Action, path string) error {
					if a == deny {
						asked = append(asked, path)
						return errDenied
					}
					return nil
				},
			})
			for _, text := range setup {
				if _, err := conn.Exec(ctx, text); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
			state := func() string {
				var b strings.Builder
				for _, text := range look {
					r, err := conn.Exec(ctx, text)
					if err == nil {
						err = r.WriteCSV(&b)
					}
					if err != nil {
						t.Fatalf("%s: %v", text, err)
					}
				}
				return b.String()
			}
			before := state()
			deny = c.action
			_, err := conn.Exec(ctx, c.text)
			deny = ""
			if !errors.Is(err, errDenied) {
				t.Errorf("error %v, want the refusal", err)
			}
			if len(asked) == 0 || asked[0] != c.path {
				t.Errorf("asked about %q, want %q", asked, c.path)
			}
			if after := state(); after != before {
				t.Errorf("the refused statement had an effect:\n%s\nbefore:\n%s", after, before)
			}
			if _, err := conn.Exec(ctx, c.text); err != nil {
				t.Errorf("allowed: %v", err)
			}
		})
	}
}
