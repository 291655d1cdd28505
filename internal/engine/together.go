package engine

import (
	"cmp"
	"fmt"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/sorting"
)

// Columns are measurements of a device, as Shape takes them.
type Columns struct {
	Device string
	Names  []string
	Kinds  []column.Kind
}

// CheckTogether reports whether Shape, which accepts each of list by itself, would
// accept them one after the other, so that a group that is refused leaves no series
// behind: a new series is of one kind only (errs.KindMismatch), and all of them
// together have room below MaxSeries (errs.Limit). It sorts list by device.
func (e *Engine) CheckTogether(list []Columns) error {
	sorting.Stable(list, func(a, b Columns) int { return cmp.Compare(a.Device, b.Device) })
	missing := 0
	for len(list) > 0 {
		device, n := list[0].Device, 1
		for n < len(list) && list[n].Device == device {
			n++
		}
		if n > 1 || e.cfg.MaxSeries > 0 {
			made, err := e.made(list[:n])
			if err != nil {
				return err
			}
			if missing += made; e.roomFor(device, missing) != nil {
				return e.roomFor(device, missing)
			}
		}
		list = list[n:]
	}
	return nil
}

// made counts the series of a device that are new in list.
func (e *Engine) made(list []Columns) (int, error) {
	kinds := map[string]column.Kind{}
	for _, cols := range list {
		for i, name := range cols.Names {
			if _, ok := e.cat.Lookup(cols.Device, name); ok {
				continue
			}
			if kind, ok := kinds[name]; ok && kind != cols.Kinds[i] {
				return 0, fmt.Errorf("series %s.%s would be %s and %s: %w", cols.Device, name, kind, cols.Kinds[i], errs.KindMismatch)
			}
			kinds[name] = cols.Kinds[i]
		}
	}
	return len(kinds), nil
}
