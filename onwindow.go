package tickwell

import (
	"context"
	"fmt"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/window"
)

// OnWindow returns a trigger that cuts the points of each series of kind T into
// windows and calls eval with each window that is complete. It is always
// Stateful. series is the path. Series of other kinds are left out; the times of
// a window are Unix nanoseconds.
//
// The windows live in the store: each firing logs the points that came, and now
// and then a snapshot in their place, so that after a restart, a crash included,
// the same windows come as if there had been none. If eval returns an error the
// firing has failed, and its points are in no window.
//
// opts may refine how rows are cut; what needs a timer or other goroutines (Pool,
// IdleAfter, Early and Periodic emission, Shared) is refused. MaxFuture goes by the
// store's clock at the firing: a point further ahead is in no window, which the log
// tells once. Without it such a point ends all windows up to its time, and the points
// until then are late. A trigger that is created again with another spec, other options
// or another kind goes on with the points of the last kilobyte at most.
func OnWindow[T Type](spec window.Spec, opts *window.Options[T], eval func(ctx context.Context, f *Firing, series string, w window.Window[T]) error) Trigger {
	if eval == nil {
		return nil
	}
	t := &windowTrigger[T]{spec: spec, eval: eval}
	if opts != nil {
		t.opts = *opts
	}
	return t
}

type windowTrigger[T Type] struct {
	spec   window.Spec
	opts   window.Options[T]
	eval   func(ctx context.Context, f *Firing, series string, w window.Window[T]) error
	series map[string]*windowSeries[T]

	ctx    context.Context // of the firing under way; nil while state is loaded
	firing *Firing
	kinds  kindCheck
	ahead  bool // a point too far ahead has been told of
}

// windowSeries is the windows of one series, and how they are stored: a
// snapshot, and the points since, in as many chunks.
type windowSeries[T Type] struct {
	path     string
	handler  *window.Handler[T]
	snapshot int // bytes
	points   int // bytes of the chunks
	chunks   int
}

func (t *windowTrigger[T]) alwaysStateful() {}

// Validate refuses what cannot be stored.
func (t *windowTrigger[T]) Validate(Params) error {
	o := &t.opts
	if o.Pool != nil || o.IdleAfter != 0 || o.Emit >= window.Early || o.Shared {
		return fmt.Errorf("windows of a trigger cannot depend on a timer or a pool: %w", errs.BadInput)
	}
	if o.MaxFuture < 0 {
		return errs.Badf("MaxFuture %v is negative", o.MaxFuture)
	}
	_, err := t.open("check")
	return err
}

func (t *windowTrigger[T]) open(path string) (*windowSeries[T], error) {
	s := &windowSeries[T]{path: path}
	o := t.opts
	o.MaxFuture = 0 // Fire leaves out such points, so that what is stored need not
	if late := o.OnLate; late != nil {
		o.OnLate = func(ts int64, v T) {
			if t.firing != nil {
				late(ts, v)
			}
		}
	}
	var err error
	s.handler, err = window.New(t.spec, func(w window.Window[T]) error {
		if t.firing == nil {
			return nil // was evaluated in an earlier life
		}
		return t.eval(t.ctx, t.firing, s.path, w)
	}, &o)
	return s, err
}

// Restore goes on with the windows that are stored.
func (t *windowTrigger[T]) Restore(_ context.Context, env Env) error {
	t.series = nil
	for key, value := range env.Scan(windowPrefix) {
		path, part := splitWindowKey(key)
		s, err := t.get(path)
		if err != nil {
			return err
		}
		if part == snapshotPart {
			if err := s.handler.LoadState(value); err == nil {
				s.snapshot = len(value)
			} else {
				env.Logger.Warn("windows begin anew: those that are stored are of another spec, of other options or of another kind", "series", path, "err", err)
			}
			continue
		}
		chunk, err := decodeTablet(value)
		if err != nil {
			return err
		}
		if len(chunk.Columns) != 1 {
			return fmt.Errorf("stored points of %s: %w", path, errs.Corrupt)
		}
		if values, ok := valuesOf[T](&chunk.Columns[0]); ok {
			times, values := withoutNulls(chunk.Times, values, chunk.Columns[0].Nulls)
			if _, err := s.handler.CollectBatch(times, values); err != nil {
				return err
			}
		}
		s.points += len(value)
		s.chunks++
	}
	return nil
}

const (
	windowPrefix = "window/"
	snapshotPart = "!" // sorts before the numbers of chunks
)

func windowKey(path, part string) string { return windowPrefix + path + "/" + part }

func splitWindowKey(key string) (path, part string) {
	i := strings.LastIndexByte(key, '/')
	return key[len(windowPrefix):max(i, len(windowPrefix))], key[i+1:]
}

func (t *windowTrigger[T]) get(path string) (*windowSeries[T], error) {
	if s := t.series[path]; s != nil {
		return s, nil
	}
	s, err := t.open(path)
	if err != nil {
		return nil, err
	}
	if t.series == nil {
		t.series = make(map[string]*windowSeries[T])
	}
	t.series[path] = s
	return s, nil
}

// Fire collects the points.
func (t *windowTrigger[T]) Fire(ctx context.Context, f *Firing) error {
	t.ctx, t.firing = ctx, f
	defer func() { t.ctx, t.firing = nil, nil }()
	found := false
	for i := range f.Columns {
		c := f.Columns[i]
		values, ok := valuesOf[T](&c)
		if !ok {
			continue
		}
		found = true
		if t.opts.MaxFuture > 0 {
			c.Nulls = t.notFuture(f, &c)
		}
		times, values := withoutNulls(f.Times, values, c.Nulls)
		if len(times) == 0 {
			continue
		}
		s, err := t.get(f.Device + "." + c.Name)
		if err != nil {
			return err
		}
		if _, err := s.handler.CollectBatch(times, values); err != nil {
			return errs.Join(fmt.Errorf("window of %s", s.path), err)
		}
		s.store(f, &c)
	}
	t.kinds.done(f, kindOf[T](), found)
	return nil
}

// notFuture returns the nulls of a column with the points that are too far ahead.
func (t *windowTrigger[T]) notFuture(f *Firing, c *Column) Bitmap {
	var clk window.Clock = f.db.clock
	if t.opts.Clock != nil {
		clk = t.opts.Clock
	}
	now, most, nulls := clk.Now().UnixNano(), uint64(t.opts.MaxFuture), c.Nulls
	own := false
	for i, at := range f.Times {
		if at <= now || uint64(at)-uint64(now) <= most || nulls.Get(i) {
			continue
		}
		if !t.ahead {
			t.ahead = true
			f.db.log.Warn("a point too far ahead of the clock is in no window", "trigger", f.Trigger, "series", f.Device+"."+c.Name, "time", instant(at))
		}
		if !own {
			nulls, own = nulls.clone(len(f.Times)), true
		}
		nulls.Set(i)
	}
	return nulls
}

// snapshotAfter is how many bytes of points are kept before a snapshot takes
// their place, if it is not larger: what is written stays in proportion to what
// came in, however large the windows are.
const snapshotAfter = 1 << 10

func (s *windowSeries[T]) store(f *Firing, c *Column) {
	chunk := appendTablet(nil, &Tablet{Times: f.Times, Columns: []Column{*c}})
	s.points += len(chunk)
	if s.points > max(s.snapshot, snapshotAfter) {
		if b, err := s.handler.AppendState(nil); err == nil {
			for i := range s.chunks {
				f.Put(windowKey(s.path, chunkPart(i)), nil)
			}
			f.Put(windowKey(s.path, snapshotPart), b)
			s.snapshot, s.points, s.chunks = len(b), 0, 0
			return
		}
	}
	f.Put(windowKey(s.path, chunkPart(s.chunks)), chunk)
	s.chunks++
}

func chunkPart(n int) string { return fmt.Sprintf("%08x", n) }
