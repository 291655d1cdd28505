package sink_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// A sink of one's own, for a device that takes one message at a time: it says
// what is worth another attempt and what is not.
func ExampleEach() {
	display := tickwell.SinkFunc(func(ctx context.Context, events []tickwell.Event) error {
		return sink.Each(ctx, events, func(_ context.Context, e *tickwell.Event) error {
			text := e.Get("text")
			if text.IsNull() {
				return sink.Permanent(errors.New("nothing to show"))
			}
			fmt.Println(text)
			return nil
		})
	})
	db, err := tickwell.Open(context.Background(), "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{{Name: "display", Sink: display, Notify: true, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
			fmt.Println("given up:", d.Cause)
			return nil
		}}},
		Triggers: []tickwell.TriggerSpec{{
			Name: "show", Pattern: "root.board.*", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
				for i, at := range f.Times {
					c := &f.Columns[0]
					f.Emit(tickwell.Event{Time: time.Unix(0, at), Fields: []tickwell.Field{{Name: c.Name, Value: c.Data.Value(i)}}})
				}
				return nil
			}),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, f := range []tickwell.Field{tickwell.Text("text", "hello"), tickwell.Int64("number", 7), tickwell.Text("text", "bye")} {
		if err := db.Insert(context.Background(), "root.board", time.Unix(int64(i), 0), f); err != nil {
			fmt.Println(err)
		}
	}
	if err := db.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// hello
	// given up: permanent: nothing to show
	// bye
}

func ExampleTemplate() {
	t, err := sink.NewTemplate(`{{.series}} at {{.time}}: {{.avg | fixed 2}} ({{ .note | default "no note" }})`, sink.TemplateOptions{
		Columns: []string{"avg", "note"}, TimeFormat: time.RFC3339, Zone: "Europe/Berlin",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := t.Render(&tickwell.Event{
		Series: "root.d1.s1", Time: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC),
		Fields: []tickwell.Field{tickwell.Float64("avg", 14)},
	})
	fmt.Println(text, err)

	_, err = sink.NewTemplate(`{{.agv}}`, sink.TemplateOptions{Columns: []string{"avg", "note"}})
	fmt.Println(err)
	// Output:
	// root.d1.s1 at 2026-07-01T14:00:00+02:00: 14.00 (no note) <nil>
	// template "{{.agv}}": no column "agv": bad input
}

func ExampleSecret() {
	s := sink.NewSecret("correct horse")
	fmt.Printf("%v %+v %q\n", s, struct{ Token sink.Secret }{s}, s)
	text, err := s.Reveal()
	fmt.Println(text, err)
	// Output:
	// *** {Token:***} ***
	// correct horse <nil>
}
