package tickwell

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// A group whose tablets go by themselves but not together leaves no series behind.
func TestRefusedGroupMakesNoSeries(t *testing.T) {
	one := func(device, name string, v Vector) *Tablet {
		return &Tablet{Device: device, Times: []int64{1}, Columns: []Column{{Name: name, Data: v}}}
	}
	f, i := Float64s{1}, Int64s{1}
	for _, c := range []struct {
		name  string
		group []*Tablet
		want  error
	}{
		{"kinds of one series", []*Tablet{one("root.b", "x", f), one("root.a", "x", f), one("root.a", "x", i)}, ErrKindMismatch},
		{"kinds, quoted", []*Tablet{one("root.a", "x", f), one("root.`a`", "`x`", i)}, ErrKindMismatch},
		{"more than MaxSeries", []*Tablet{one("root.a", "x", f), one("root.a", "y", f), one("root.b", "x", f)}, ErrLimit},
		{"one series twice", []*Tablet{one("root.a", "x", f), one("root.a", "x", f), one("root.b", "x", f)}, nil},
		{"beside one that is there", []*Tablet{one("root.old", "x", f), one("root.a", "x", f), one("root.a", "x", f)}, nil},
	} {
		for _, fires := range []bool{false, true} {
			db := openMem(t, &Options{MaxSeries: 3})
			must(t, db.InsertTablet(context.Background(), one("root.old", "x", f)))
			if fires {
				must(t, db.CreateTrigger(context.Background(), TriggerSpec{Name: "all", Pattern: "root.**", When: BeforeInsert,
					Trigger: TriggerFunc(func(context.Context, *Firing) error { return nil })}))
			}
			err := db.InsertTablets(context.Background(), c.group...)
			require.ErrorIs(t, err, c.want, c.name)
			if c.want == nil {
				require.NoError(t, err, c.name)
				continue
			}
			var there []string
			list, err := db.ListSeries(context.Background(), "root.**")
			must(t, err)
			for s := range list {
				there = append(there, s.Path())
			}
			require.Equal(t, []string{"root.old.x"}, there, c.name)
		}
	}
}
