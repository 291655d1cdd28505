package tickwell

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
)

// readAll reads the rows in span: what is stored, and in the place of windows
// that are dirty or not over what they would be.
func (g *groupRun) readAll(ctx context.Context, marks map[string]cqDirty, span incremental.Range) ([]*Tablet, error) {
	g.all, g.end = true, math.MaxInt64
	fresh := make(rowCells)
	gone := make(map[string]*incremental.Ranges) // by path of a target
	g.read = func(device string, rows []*Tablet, done incremental.Range) error {
		for _, ser := range g.targets[device] {
			path := pattern.Join(ser.Device, ser.Name)
			if gone[path] == nil {
				gone[path] = &incremental.Ranges{}
			}
			gone[path].Add(done)
		}
		tablets, _, err := g.plan.intoOf(&g.query, all(rows))
		for _, t := range tablets {
			fresh.add(t, span)
		}
		return err
	}
	if err := g.setOut(ctx); err != nil {
		return nil, err
	}
	g.spread(marks)
	for d, t := range g.tails {
		if _, ok := g.parts[d]; ok && t.open {
			g.dueOf(d).Add(incremental.Range{From: t.start + 1, To: incremental.Latest})
		}
	}
	for _, d := range slices.Sorted(maps.Keys(g.due)) {
		if _, err := g.device(ctx, d); err != nil {
			return nil, err
		}
	}
	if err := g.readStored(gone, span, fresh); err != nil {
		return nil, err
	}
	return fresh.tablets()
}

// readStored adds what is stored in span and is not gone.
func (g *groupRun) readStored(gone map[string]*incremental.Ranges, span incremental.Range, cells rowCells) error {
	wide := incremental.Range{}
	if len(g.wide) > 0 {
		wide = incremental.Range{From: max(g.span.From, g.expiry), To: math.MaxInt64}
	}
	for path, ser := range g.written {
		device, column := pattern.Split(path)
		left := incremental.Ranges{}
		left.Add(span)
		if by := gone[path]; by != nil {
			for _, r := range by.All() {
				left.Remove(r)
			}
		} else if !g.owned(path) { // of a device that is gone
			left.Remove(wide)
		}
		for _, r := range left.All() {
			c := g.snap.Cursor(ser, r.From, r.To)
			for c.Next() {
				values := vectorOf(c.Values())
				for i, at := range c.Times() {
					cells.set(device, at, column, values.Value(i))
				}
			}
			err := c.Err()
			c.Close()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// owned reports whether some device of the query writes to a path.
func (g *groupRun) owned(path string) bool {
	for _, all := range g.targets {
		for _, ser := range all {
			if pattern.Join(ser.Device, ser.Name) == path {
				return true
			}
		}
	}
	return false
}

// add takes the rows of t that are in span.
func (c rowCells) add(t *Tablet, span incremental.Range) {
	for row, at := range t.Times {
		if at < span.From || at >= span.To {
			continue
		}
		for i := range t.Columns {
			if !t.Columns[i].Nulls.Get(row) {
				c.set(t.Device, at, strings.Clone(t.Columns[i].Name), t.Columns[i].Data.Value(row))
			}
		}
	}
}
