package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

type mark struct {
	p    Pos
	size int64
}

func (m *marks) list(after Pos) (out []mark) {
	m.after(after, func(p Pos, size int64) bool {
		out = append(out, mark{p, size})
		return true
	})
	return out
}

// TestMarks compares the list with a slice.
func TestMarks(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var m marks
		var model []mark
		last := Pos{LSN: 1 + rng.Uint64N(1<<40)}
		for step := range 3000 {
			if rng.IntN(5) < 2+int(seed%3) {
				switch rng.IntN(4) {
				case 0:
					last.Ord += 1 + uint32(rng.IntN(3))
				case 1:
					last = Pos{LSN: last.LSN + 1}
				case 2:
					last = Pos{LSN: last.LSN + 1 + rng.Uint64N(1<<rng.IntN(30)), Ord: uint32(rng.IntN(5))}
				case 3:
					if m.n > 0 {
						require.False(t, m.push(last, 1), "the last again")
					}
					last.Ord++
				}
				size := rng.Int64N(1 << rng.IntN(30))
				require.True(t, m.push(last, size))
				model = append(model, mark{last, size})
			} else if len(model) > 0 {
				m.pop()
				model = model[1:]
			}
			require.Equal(t, len(model), m.n)
			if len(model) == 0 {
				require.Nil(t, m.list(Pos{}))
				continue
			}
			require.Equal(t, mark{m.front, m.frontSize}, model[0])
			if step%50 == 0 {
				require.Equal(t, model, m.list(Pos{}))
				k := rng.IntN(len(model))
				require.Equal(t, model[k+1:], append([]mark{}, m.list(model[k].p)...), "after %v", model[k].p)
				before := model[k].p
				before.Ord--
				if model[k].p.Ord > 0 {
					require.Equal(t, model[k:], m.list(before))
				}
			}
		}
	}
}

// TestTail compares the newest events with a map, while queues let them go in
// any order.
func TestTail(t *testing.T) {
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 8))
		var tl tail
		refs := map[Pos]int{}
		var order []Pos
		for i := range 20000 {
			if rng.IntN(2) == 0 {
				p := Pos{LSN: uint64(i + 1)}
				n := 1 + rng.IntN(2)
				tl.push(Entry{Pos: p, Key: "k", Payload: []byte(fmt.Sprint(i))}, nil, n)
				refs[p] = n
				order = append(order, p)
			} else if len(order) > 0 {
				p := order[min(int(rng.ExpFloat64()*3), len(order)-1)]
				if seed%2 == 0 {
					p = order[rng.IntN(len(order))]
				}
				if refs[p] > 0 {
					tl.release(p)
					refs[p]--
				}
			}
			for len(order) > 0 && refs[order[0]] == 0 {
				delete(refs, order[0])
				order = order[1:]
			}
		}
		bytes := int64(0)
		for _, p := range order {
			e := tl.find(p)
			if refs[p] == 0 {
				require.True(t, e == nil || e.Payload == nil)
				continue
			}
			require.NotNil(t, e)
			require.Equal(t, fmt.Sprint(p.LSN-1), string(e.Payload))
			bytes += entryBytes("k", e.Payload)
		}
		require.Equal(t, bytes, tl.bytes)
		first, ok := tl.first()
		require.Equal(t, len(order) > 0, ok)
		if ok {
			require.Equal(t, order[0], first)
		}
		require.LessOrEqual(t, len(tl.events)-tl.head, 2*len(order)+2048)
	}
}
