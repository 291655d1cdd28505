package window

import (
	"context"
	"fmt"
	"math/rand"
	"testing"
)

type keyedCollector interface {
	Collect(key string, ts int64, v float64) (Outcome, error)
	Advance(watermark int64) error
	Flush(ctx context.Context) error
	Close() error
	AppendState(dst []byte) ([]byte, error)
	LoadState(src []byte) error
}

var keyedFaces = map[string]func(s *scenario, o *Options[float64], ko KeyOptions, give func(key, l string)) (keyedCollector, error){
	"rows": func(s *scenario, o *Options[float64], ko KeyOptions, give func(key, l string)) (keyedCollector, error) {
		return Keyed(s.spec(), func(key string, w Window[float64]) error {
			sum := 0
			for _, v := range w.Values() {
				sum += int(v)*1000 + 1
			}
			give(key, entryLine(w.Start(), w.End(), w.Revision(), w.Final(), fmt.Sprint(w.Len(), " ", sum)))
			return nil
		}, o, ko)
	},
	"fold": func(s *scenario, o *Options[float64], ko KeyOptions, give func(key, l string)) (keyedCollector, error) {
		return ReduceKeyed(s.spec(), Reducer[float64, int64, int64](wholeReducer{}), func(r KeyResult[string, int64]) error {
			give(r.Key, entryLine(r.Start, r.End, r.Revision, r.Final, fmt.Sprint(r.Count, " ", r.Value)))
			return nil
		}, o, ko)
	},
}

// Several keys side by side give what each gives alone; watermarks reach all.
func TestOracleKeyed(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 200
	}
	for seed := range n {
		r := rand.New(rand.NewSource(int64(seed)))
		s := randomScenario(r)
		names := []string{"a", "b", "c"}
		of := make([]string, len(s.ops))
		parts := map[string]*scenario{}
		for _, k := range names {
			part := *s
			part.ops = nil
			parts[k] = &part
		}
		for i, o := range s.ops {
			of[i] = names[r.Intn(3)]
			for _, k := range names {
				if o.advance || k == of[i] {
					parts[k].ops = append(parts[k].ops, o)
				}
			}
		}
		var want []string
		for _, k := range names {
			for _, l := range faces[3].want(parts[k]) {
				want = append(want, k+" "+l)
			}
		}
		for name, make := range keyedFaces {
			for _, restart := range []int{-1, r.Intn(len(s.ops) + 1)} {
				var got []string
				give := func(key, l string) { got = append(got, key+" "+l) }
				h, err := make(s, s.options(), KeyOptions{}, give)
				if err != nil {
					t.Fatal(err)
				}
				for i, o := range s.ops {
					if i == restart {
						state, err := h.AppendState(nil)
						if err != nil {
							t.Fatal(err)
						}
						h.Close()
						h, _ = make(s, s.options(), KeyOptions{}, give)
						if err := h.LoadState(state); err != nil {
							t.Fatal(err)
						}
					}
					if o.advance {
						err = h.Advance(o.ts)
					} else {
						_, err = h.Collect(of[i], o.ts, o.v)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				if err := h.Flush(context.Background()); err != nil {
					t.Fatal(err)
				}
				if d := differ(got, want); d != "" {
					t.Fatalf("seed %d, %s, restart %d, keys %v: %s%s", seed, name, restart, of, s, d)
				}
			}
		}
	}
}

// With shared time all keys see the watermark of the newest row of any.
func TestOracleSharedTime(t *testing.T) {
	for seed := range 500 {
		r := rand.New(rand.NewSource(int64(seed)))
		s := randomScenario(r)
		if s.kind != Time && s.kind != Session || s.updates || s.strict || s.empty || s.anchor == FirstPoint {
			continue
		}
		names := []string{"a", "b", "c"}
		parts := map[string]*scenario{}
		for _, k := range names {
			part := *s
			part.ops = nil
			parts[k] = &part
		}
		var want, got []string
		give := func(key, l string) { got = append(got, key+" "+l) }
		for name, make := range keyedFaces {
			h, err := make(s, s.options(), KeyOptions{SharedTime: true}, give)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range names {
				parts[k].ops = nil
			}
			rr := rand.New(rand.NewSource(int64(seed)))
			got, want = nil, nil
			for _, o := range s.ops {
				k := names[rr.Intn(3)]
				if o.advance {
					err = h.Advance(o.ts)
				} else {
					_, err = h.Collect(k, o.ts, o.v)
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, other := range names {
					switch {
					case o.advance || other == k:
						parts[other].ops = append(parts[other].ops, o)
					default: // a row of another key is a watermark
						parts[other].ops = append(parts[other].ops, op{advance: true, ts: o.ts - s.late})
					}
				}
			}
			if err := h.Flush(context.Background()); err != nil {
				t.Fatal(err)
			}
			for _, k := range names {
				for _, l := range faces[3].want(parts[k]) {
					want = append(want, k+" "+l)
				}
			}
			if d := differ(got, want); d != "" {
				t.Fatalf("seed %d, %s: %s%s", seed, name, s, d)
			}
		}
	}
}
