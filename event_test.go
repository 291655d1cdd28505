package tickwell

import (
	"errors"
	"maps"
	"math"
	"slices"
	"testing"
	"time"
)

func sampleEvents() []Event {
	at := time.Unix(1700000000, 123456789).UTC()
	return []Event{
		{Time: at},
		{ID: "x", Source: "rule", Series: "root.a.b", Time: at, Status: StatusFiring, Revision: 3, Urgent: true, Hops: 2},
		{ID: "id", Time: time.Unix(0, -1).UTC(), Status: StatusResolved,
			Fields: []Field{Float64("v", math.NaN()), Int32("i", -1), Int64("j", math.MinInt64), Float32("f", 1.5), Bool("b", true), Text("t", "täxt\n"), {Name: "null"}},
			Labels: map[string]string{"severity": "critical", "": "empty key"}, Notes: map[string]string{"summary": "hot {{.value}}"}},
	}
}

func sameEvent(a, b Event) bool {
	return a.ID == b.ID && a.Source == b.Source && a.Series == b.Series && a.Time.Equal(b.Time) && a.Status == b.Status &&
		a.Revision == b.Revision && a.Hops == b.Hops && a.Urgent == b.Urgent && a.Replayed == b.Replayed &&
		maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Notes, b.Notes) &&
		slices.EqualFunc(a.Fields, b.Fields, func(x, y Field) bool { return x.Name == y.Name && x.Value.Equal(y.Value) })
}

func TestEventRoundTrip(t *testing.T) {
	for _, e := range sampleEvents() {
		b, err := appendEvent(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeEvent(b)
		if err != nil || !sameEvent(got, e) {
			t.Errorf("got %+v, %v, want %+v", got, err, e)
		}
		for n := range b {
			if _, err := decodeEvent(b[:n]); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%d of %d bytes: got error %v, want ErrCorrupt", n, len(b), err)
			}
		}
	}
}

func TestEventTimeOutOfRange(t *testing.T) {
	if _, err := appendEvent(nil, &Event{}); !errors.Is(err, ErrBadInput) {
		t.Errorf("event at the zero time: got error %v, want ErrBadInput", err)
	}
}

func FuzzDecodeEvent(f *testing.F) {
	for _, e := range sampleEvents() {
		b, _ := appendEvent(nil, &e)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEvent(b)
		if err != nil {
			return
		}
		again, err := appendEvent(nil, &e)
		if err != nil {
			return // a time that no Event has
		}
		if e2, err := decodeEvent(again); err != nil || !sameEvent(e, e2) {
			t.Errorf("got %+v, %v, want %+v", e2, err, e)
		}
	})
}

func TestStableID(t *testing.T) {
	var x effects
	at := time.Unix(0, 5)
	x.emit("rule", nil, Event{Series: "root.d.s", Time: at})
	x.emit("rule", nil, Event{Series: "root.d.s", Time: at})
	x.emit("rule", nil, Event{Series: "root.d.s", Time: at, Revision: 1})
	x.emit("rule", nil, Event{Series: "root.d.t", Time: at})
	x.emit("rule", nil, Event{ID: "mine", Time: at})
	later := effects{earlier: &x}
	later.emit("rule", nil, Event{Series: "root.d.s", Time: at})
	later.emit("rule", nil, Event{Series: "root.d.u", Time: at, Status: StatusResolved})
	want := []string{"rule|root.d.s|5|0|0", "rule|root.d.s|5|1|0", "rule|root.d.s|5|0|1", "rule|root.d.t|5|0|0", "mine", "rule|root.d.s|5|2|0", "rule|root.d.u|5|0|0|resolved"}
	for i, m := range append(x.events, later.events...) {
		if m.event.ID != want[i] {
			t.Errorf("event %d has ID %q, want %q", i, m.event.ID, want[i])
		}
	}
}

// The ordinal is the same however many events a cause has sent before.
func TestStableIDOfMany(t *testing.T) {
	at := time.Unix(0, 5)
	var first, second effects
	emit := func(x *effects, n int) (ids []string) {
		for i := range n {
			x.emit("rule", nil, Event{Series: "root.d", Time: at.Add(time.Duration(i % 2)), Revision: i / 2 % 2})
			ids = append(ids, x.events[len(x.events)-1].event.ID)
		}
		return ids
	}
	ids := emit(&first, 100)
	second.earlier = &first
	ids = append(ids, emit(&second, 20)...)
	first.merge(&second)
	ids = append(ids, emit(&first, 40)...)
	count := map[[2]int]int{}
	for i, id := range ids {
		k := i
		if i >= 120 {
			k = i - 120
		} else if i >= 100 {
			k = i - 100
		}
		like := [2]int{k % 2, k / 2 % 2}
		if want := (&Event{Source: "rule", Series: "root.d", Time: at.Add(time.Duration(like[0])), Revision: like[1]}).stableID(count[like]); id != want {
			t.Fatalf("event %d: id %s, want %s", i, id, want)
		}
		count[like]++
	}
}
