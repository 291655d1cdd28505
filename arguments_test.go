package tickwell

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// What is forgotten or the wrong way round is refused where it is given, with a
// word about what is missing.
func TestForgottenArguments(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"TriggerFunc":   {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.**", Trigger: TriggerFunc(nil)}), "no Trigger"},
		"pattern":       {db.CreateTrigger(ctx, TriggerSpec{Name: "a", Trigger: TriggerFunc(func(context.Context, *Firing) error { return nil })}), "no Pattern"},
		"SinkFunc":      {db.AddSink(ctx, SinkSpec{Name: "a", Sink: SinkFunc(nil)}), "no Sink"},
		"RowFunc1":      {db.RegisterFunction(ctx, RowFunc1[float64, float64]("f", nil)), "UDTF"},
		"RowFunc2":      {db.RegisterFunction(ctx, RowFunc2[float64, float64, float64]("f", nil)), "UDTF"},
		"AggregateFunc": {db.RegisterFunction(ctx, AggregateFunc[int64, float64, float64]("f", nil, nil, nil)), "UDAF"},
		"delete":        {db.Delete(ctx, "root.a", time.Unix(5, 0), time.Unix(1, 0)), "before it begins"},
		"query":         {second(db.Query(ctx, Query{From: []string{"root.a"}, Start: time.Unix(5, 0), End: time.Unix(1, 0)})), "before it begins"},
	} {
		if !errors.Is(c.err, ErrBadInput) || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", what, c.err, c.want)
		}
	}
	if _, err := db.Query(ctx, Query{From: []string{"root.a"}, Start: time.Unix(5, 0), End: time.Unix(5, 0)}); err != nil {
		t.Errorf("an empty range: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
