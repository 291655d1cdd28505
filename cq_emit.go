package tickwell

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"math"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/sorting"
)

// emissions is what a view has sent to sinks: for each of the newest windows
// the revision and a hash of what was sent, so that an unchanged result is not
// sent again and a changed one gets the next revision. Of older windows only
// the highest revision ever sent is kept: a correction of one of them gets a
// higher one, so no ID is used twice.
type emissions struct {
	sent    map[emittedKey]emittedRow
	floor   int64 // windows that begin before may have been forgotten
	highest int
}

// emittedKey is the start of a window and what the row is about.
type emittedKey struct {
	window int64
	series string
}

type emittedRow struct {
	revision int
	hash     uint64 // 0: retracted
}

const keptEmissions = 8192

func (m *emissions) load(e *engine.Engine, name string) {
	m.sent, m.floor = make(map[emittedKey]emittedRow), math.MinInt64
	prefix := cqKey(name, "e/")
	for key, value := range e.Scan(prefix) {
		rest := key[len(prefix):]
		if len(rest) < 17 || len(value) != 16 {
			continue
		}
		if at, ok := parseOrderedTime(rest[:16]); ok {
			m.sent[emittedKey{at, rest[17:]}] = emittedRow{int(binary.LittleEndian.Uint64(value)), binary.LittleEndian.Uint64(value[8:])}
		}
	}
	if b, ok := e.Get(cqKey(name, "floor")); ok && len(b) == 16 {
		m.floor, m.highest = int64(binary.LittleEndian.Uint64(b)), int(binary.LittleEndian.Uint64(b[8:]))
	}
}

// change is what a record does to the emissions.
type emissionChange struct {
	set     map[emittedKey]emittedRow
	drop    []emittedKey
	floor   int64
	highest int
}

func (m *emissions) change() *emissionChange {
	return &emissionChange{set: make(map[emittedKey]emittedRow), floor: m.floor, highest: m.highest}
}

// hashEvent tells two payloads apart. It is never 0.
func hashEvent(e *Event) (uint64, error) {
	b, err := appendEvent(nil, e)
	if err != nil {
		return 0, err
	}
	h := fnv.New64a()
	h.Write(b)
	return max(h.Sum64(), 1), nil
}

// next sets the revision of the event of a window and reports whether it is to
// be sent.
func (m *emissions) next(c *emissionChange, window int64, e *Event) (bool, error) {
	h, err := hashEvent(e)
	if err != nil {
		return false, err
	}
	k := emittedKey{window, e.Series}
	was, ok := m.sent[k]
	switch {
	case ok && was.hash == h:
		return false, nil
	case ok:
		e.Revision = was.revision + 1
	case window < m.floor:
		e.Revision = c.highest + 1
	}
	c.highest = max(c.highest, e.Revision)
	c.set[k] = emittedRow{e.Revision, h}
	return true, nil
}

// retractions are events for rows of the windows in span, of the devices of job,
// that were sent and that are not in have.
func (m *emissions) retractions(c *emissionChange, span incremental.Range, job *viewJob, have map[emittedKey]bool, timeOf func(int64) int64) []Event {
	var out []Event
	for k, was := range m.sent {
		if k.window < span.From || k.window >= span.To || have[k] || was.hash == 0 || !job.has(k.series) {
			continue
		}
		e := Event{Series: k.series, Time: instant(timeOf(k.window)), Revision: was.revision + 1, Notes: map[string]string{"retracted": "true"}}
		c.highest = max(c.highest, e.Revision)
		c.set[k] = emittedRow{e.Revision, 0}
		out = append(out, e)
	}
	sorting.By(out, func(a, b Event) int { return cmpEvents(&a, &b) })
	return out
}

func cmpEvents(a, b *Event) int {
	if c := a.Time.Compare(b.Time); c != 0 {
		return c
	}
	switch {
	case a.Series < b.Series:
		return -1
	case a.Series > b.Series:
		return 1
	}
	return 0
}

// puts makes c durable, and forgets the oldest windows where there are too many.
func (m *emissions) puts(c *emissionChange, name string) []engine.Put {
	if len(c.set) == 0 {
		return nil
	}
	if n := len(m.sent) + len(c.set) - keptEmissions; n > keptEmissions/8 {
		keys := make([]emittedKey, 0, len(m.sent))
		for k := range m.sent {
			keys = append(keys, k)
		}
		sorting.By(keys, func(a, b emittedKey) int {
			switch {
			case a.window < b.window:
				return -1
			case a.window > b.window:
				return 1
			}
			return 0
		})
		for _, k := range keys[:min(n, len(keys))] {
			c.floor = max(c.floor, k.window+1)
			if _, again := c.set[k]; !again {
				c.drop = append(c.drop, k)
			}
		}
	}
	var puts []engine.Put
	for k, r := range c.set {
		v := appendWord(nil, uint64(r.revision))
		puts = append(puts, engine.Put{Kind: engine.PutProgress, Key: k.key(name), Value: appendWord(v, r.hash)})
	}
	for _, k := range c.drop {
		puts = append(puts, engine.Put{Kind: engine.PutProgress, Key: k.key(name), Delete: true})
	}
	if c.floor != m.floor || c.highest != m.highest {
		v := appendWord(nil, uint64(c.floor))
		puts = append(puts, engine.Put{Kind: engine.PutProgress, Key: cqKey(name, "floor"), Value: appendWord(v, uint64(c.highest))})
	}
	return puts
}

func (k emittedKey) key(name string) string {
	return cqKey(name, "e/") + orderedTime(k.window) + "/" + k.series
}

// stored is told that c is in the log.
func (m *emissions) stored(c *emissionChange) {
	maps.Copy(m.sent, c.set)
	for _, k := range c.drop {
		delete(m.sent, k)
	}
	m.floor, m.highest = c.floor, c.highest
}
