package engine

import (
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/column"
)

// Series is one measurement of one device; see catalog.Series. Pointer identity
// is stable while the series exists; a series made again after a drop is a new
// one with a new ID.
type Series = catalog.Series

// Shape is a device with some of its measurements in a given order, resolved
// once, so that a commit looks nothing up. Shapes are shared: asking twice for
// the same gives the same pointer. Safe for concurrent use.
type Shape struct {
	device string
	series []*Series
	stale  atomic.Bool
}

// Device returns the device path.
func (s *Shape) Device() string { return s.device }

// Series returns the series in the order of the shape's columns. It must not be
// changed.
func (s *Shape) Series() []*Series { return s.series }

// Stale reports whether a series of s was dropped: get a new shape.
func (s *Shape) Stale() bool { return s.stale.Load() }

// Check reports whether Shape would accept these measurements, without making
// anything: errs.KindMismatch names the series, its kind and the given one;
// errs.Limit says that MaxSeries would be exceeded; errs.BadInput is a wrong
// path, kind, or a name given twice.
func (e *Engine) Check(device string, names []string, kinds []column.Kind) error { return nil }

// Shape resolves the measurements of a device and makes the series that are
// missing, which is logged before their first use. It fails like Check. Names
// are path nodes as stored: quoted where the path quotes them.
func (e *Engine) Shape(device string, names []string, kinds []column.Kind) (*Shape, error) {
	return nil, nil
}
