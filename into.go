package tickwell

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/exec"
	"github.com/tickwell/tickwell/internal/pattern"
)

// target is the series that a result column is written to.
type target struct {
	device, name string
	source       string // header of the column
	kind         Kind   // of the series, if it is known
	written      int
}

func (t *target) path() string { return t.device + "." + t.name }

//go:noinline
func badInto(format string, args ...any) error {
	return errs.Badf("select into: "+format, args...)
}

func badColumns(sources, targets int) error {
	return badInto("the number of source columns and the number of target paths should be the same: %d and %d", sources, targets)
}

// placeholders reports whether a device or column template has any.
func placeholders(s string) bool {
	return strings.Contains(s, "${") || s == "::" || strings.HasSuffix(s, ".::")
}

// targets finds the target of each column for each device (one, "", if not
// aligned by device), by the rules of the documents.
func (q *Query) targets(cols []exec.Column, devices []string) (map[string][]target, error) {
	if q.Last || q.SeriesLimit > 0 || q.SeriesOffset > 0 {
		return nil, badInto("LAST, SLIMIT and SOFFSET are not supported")
	}
	all := map[string][]target{}
	var err error
	if q.AlignByDevice {
		for i, d := range devices {
			if all[d], err = q.deviceTargets(cols, d, i, len(devices)); err != nil {
				return nil, err
			}
		}
	} else if all[""], err = q.timeTargets(cols); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, list := range all {
		for i := range list {
			p := list[i].path()
			if err := pattern.CheckPath(p); err != nil {
				return nil, badInto("target %s: %v", p, err)
			}
			if seen[p] {
				return nil, badInto("target paths in into clause should be different: %s", p)
			}
			seen[p] = true
		}
	}
	return all, nil
}

// timeTargets matches columns whose headers are whole paths.
func (q *Query) timeTargets(cols []exec.Column) ([]target, error) {
	inDevice, inColumn, total := false, false, 0
	for _, t := range q.Into {
		if len(t.Columns) == 0 {
			return nil, badInto("target %q names no column", t.Device)
		}
		inDevice = inDevice || placeholders(t.Device)
		for _, c := range t.Columns {
			inColumn = inColumn || placeholders(c)
			total++
		}
	}
	if inDevice || inColumn {
		for _, c := range cols {
			if c.Source == nil {
				return nil, badInto("placeholders can only be used in raw time series data queries, or in the device of a target when aligned by device (AlignByDevice)")
			}
		}
	}
	pick := func(i int) (device, name string) { return q.Into[0].Device, q.Into[0].Columns[0] }
	switch {
	case !inColumn:
		if total != len(cols) {
			return nil, badColumns(len(cols), total)
		}
		var flat [][2]string
		for _, t := range q.Into {
			for _, c := range t.Columns {
				flat = append(flat, [2]string{t.Device, c})
			}
		}
		pick = func(i int) (string, string) { return flat[i][0], flat[i][1] }
	case total != len(q.Into) || inDevice && len(q.Into) != 1 || len(q.Into) != 1 && len(q.Into) != len(cols):
		return nil, badInto("the correspondence between the placeholder and the raw time series could not be established")
	case len(q.Into) > 1:
		pick = func(i int) (string, string) { return q.Into[i].Device, q.Into[i].Columns[0] }
	}
	list := make([]target, len(cols))
	for i, c := range cols {
		device, name := pick(i)
		var err error
		if list[i], err = newTarget(device, name, c, c.Source); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// deviceTargets matches the columns of one device.
func (q *Query) deviceTargets(cols []exec.Column, device string, nth, devices int) ([]target, error) {
	item := q.Into[0]
	inDevice := false
	for _, t := range q.Into {
		inDevice = inDevice || placeholders(t.Device)
	}
	switch {
	case inDevice && len(q.Into) != 1:
		return nil, badInto("the correspondence between the placeholder and the raw time series could not be established")
	case !inDevice && len(q.Into) != devices:
		return nil, badInto("the number of source devices and the number of target devices should be the same: %d and %d", devices, len(q.Into))
	case !inDevice:
		item = q.Into[nth]
	}
	names := item.Columns
	if len(names) == 1 && placeholders(names[0]) {
		names = make([]string, len(cols))
		for i, c := range cols {
			if c.Source == nil {
				return nil, badInto("placeholders can only be used in raw time series data queries, or in the device of a target when aligned by device (AlignByDevice)")
			}
			names[i] = item.Columns[0]
		}
	}
	if len(names) != len(cols) {
		return nil, badColumns(len(cols), len(names))
	}
	list := make([]target, len(cols))
	for i, c := range cols {
		src := &exec.Series{Device: device}
		if c.Source != nil {
			src.Name = c.Source.Name
		}
		var err error
		if list[i], err = newTarget(item.Device, names[i], c, src); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// newTarget fills in the templates of a target from the source series.
func newTarget(device, name string, c exec.Column, src *exec.Series) (target, error) {
	t := target{device: device, name: name, source: c.Name}
	if src == nil {
		return t, nil
	}
	nodes := pattern.Nodes(src.Device)
	parts := strings.Split(device, ".")
	for i, p := range parts {
		if p != "::" {
			continue
		}
		if i != len(parts)-1 {
			return t, badInto("placeholder `::` can only be used at the end of the path")
		}
		parts = parts[:i]
		for _, n := range nodes[min(i, len(nodes)):] {
			parts = append(parts, pattern.Quote(n))
		}
		break
	}
	var err error
	if t.device, err = substitute(strings.Join(parts, "."), nodes); err != nil {
		return t, err
	}
	if name == "::" {
		t.name = pattern.Quote(src.Name)
		return t, nil
	}
	t.name, err = substitute(name, append(nodes, src.Name))
	return t, err
}

// substitute replaces ${i} by node i, 1 <= i < number of nodes.
func substitute(s string, nodes []string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		digits, after, closed := strings.Cut(rest, "}")
		i, err := strconv.Atoi(digits)
		if !closed || err != nil {
			return "", badInto("the i of ${i} should be an integer: %q", s)
		}
		if i < 1 || i >= len(nodes) {
			return "", badInto("the i of ${i} should be greater than 0 and equal to or less than the length of queried path prefix: %d", i)
		}
		b.WriteString(nodes[i])
		s = after
	}
}

// intoOf turns rows of r into tablets for the targets of q, one per target
// device. Nulls are left out, and rows of nothing else. The targets, by device,
// tell how many cells each gets.
func (r *Result) intoOf(q *Query, rows iter.Seq2[*Tablet, error]) ([]*Tablet, map[string][]target, error) {
	if len(r.plan.Columns()) == 0 {
		return nil, nil, nil // no series yet
	}
	fail := func(err error) ([]*Tablet, map[string][]target, error) {
		return nil, nil, &Error{Op: "query", Err: err}
	}
	byDevice := r.into
	if byDevice == nil {
		var err error
		if byDevice, err = q.targets(r.plan.Columns(), r.plan.Devices()); err != nil {
			return fail(err)
		}
	}
	var all []*Tablet
	var out map[string]*Tablet // by device
	if r.room != nil {
		r.room.begin()
		all, out = r.room.all, r.room.out
	} else {
		out = make(map[string]*Tablet)
	}
	for t, err := range rows {
		if err != nil {
			return nil, nil, err
		}
		list := byDevice[t.Device]
		if q.DisableAlign {
			return fail(badInto("disable align is not supported"))
		}
		for i := range t.Columns {
			if err := r.castInto(&t.Columns[i], &list[i]); err != nil {
				return fail(err)
			}
		}
		if one := oneDevice(list); one != "" && out[one] == nil && dense(t) {
			out[one] = r.room.copy(t)
			out[one].target(list)
			all = append(all, out[one])
			continue
		}
		for _, d := range devicesOf(list) {
			if out[d] == nil {
				out[d] = &Tablet{Device: d}
				all = append(all, out[d])
			}
			out[d].addInto(t, list)
		}
	}
	if r.room != nil {
		r.room.rest(all)
	}
	return all, byDevice, nil
}

func devicesOf(list []target) (all []string) {
	seen := map[string]bool{}
	for i := range list {
		if !seen[list[i].device] {
			seen[list[i].device] = true
			all = append(all, list[i].device)
		}
	}
	return all
}

// oneDevice returns the device of all targets, or "".
func oneDevice(list []target) string {
	for i := range list {
		if list[i].device != list[0].device {
			return ""
		}
	}
	if len(list) == 0 {
		return ""
	}
	return list[0].device
}

// dense reports whether t has rows and no cell of them is null.
func dense(t *Tablet) bool {
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Data == nil || column.Bitmap(c.Nulls).Any(len(t.Times)) {
			return false
		}
	}
	return len(t.Times) > 0
}

// target makes t, which is dense, go to the one device of list.
func (t *Tablet) target(list []target) {
	t.Device = list[0].device
	for i := range t.Columns {
		t.Columns[i].Name, t.Columns[i].Nulls = list[i].name, nil
		list[i].written += len(t.Times)
	}
}

// addInto adds the rows of t whose columns go to out's device.
func (out *Tablet) addInto(t *Tablet, list []target) {
	for row, at := range t.Times {
		began := false
		for i := range list {
			c := &t.Columns[i]
			if list[i].device != out.Device || c.Nulls.Get(row) {
				continue
			}
			if !began {
				began = true
				out.Times = append(out.Times, at)
			}
			k := out.index(list[i].name)
			if k < 0 {
				var v column.Vector
				v.Reset(column.Kind(c.Data.Kind()))
				out.Columns = append(out.Columns, Column{Name: list[i].name, Data: vectorOf(&v)})
				k = len(out.Columns) - 1
			}
			dst := &out.Columns[k]
			for dst.Data.Len() < len(out.Times)-1 {
				dst.appendValue(Value{})
			}
			dst.appendValue(c.Data.Value(row))
			list[i].written++
		}
	}
	for i := range out.Columns {
		for out.Columns[i].Data.Len() < len(out.Times) {
			out.Columns[i].appendValue(Value{})
		}
	}
}

// castInto converts a column to the kind of a target that exists, where that
// loses nothing: Int32 to Int64, Float32 and Float64, Int64 and Float32 to
// Float64.
func (r *Result) castInto(c *Column, t *target) error {
	from := c.Data.Kind()
	if t.kind == from {
		return nil
	}
	ser, ok := r.db.eng.Lookup(t.device, t.name)
	if !ok || Kind(ser.Kind) == from {
		return nil
	}
	to := Kind(ser.Kind)
	wider := from == KindInt32 && (to == KindInt64 || to == KindFloat32 || to == KindFloat64) ||
		(from == KindInt64 || from == KindFloat32) && to == KindFloat64
	if !wider {
		return fmt.Errorf("the data type of target path (%s[%s]) is not compatible with the data type of source column (%s[%s]): %w",
			t.path(), exec.DocumentKind(ser.Kind), t.source, exec.DocumentKind(column.Kind(from)), errs.KindMismatch)
	}
	var v column.Vector
	v.Reset(ser.Kind)
	for i := range c.Data.Len() {
		x := c.Data.Value(i)
		switch to {
		case KindInt64:
			v.Int64s = append(v.Int64s, x.Int64())
		case KindFloat32:
			v.Float32s = append(v.Float32s, float32(x.Float64()))
		case KindFloat64:
			v.Float64s = append(v.Float64s, x.Float64())
		}
	}
	c.Data = vectorOf(&v)
	return nil
}

// insertInto runs a query with Into and returns a result that tells what was
// written: SourceColumn, TargetTimeseries and Written, with SourceDevice first
// if aligned by device.
func (r *Result) insertInto(ctx context.Context, q *Query) (*Result, error) {
	tablets, targets, err := r.intoOf(q, r.Tablets())
	if err != nil {
		return nil, err
	}
	if len(tablets) > 0 {
		if err := r.db.InsertTablets(ctx, tablets...); err != nil {
			return nil, err
		}
	}
	if len(tablets) == 0 {
		targets = nil // nothing was read: nothing is told
	}
	report := &Tablet{}
	var devices, sources, names Texts
	var written Int64s
	for _, device := range r.plan.Devices() {
		for i := range targets[device] {
			t := &targets[device][i]
			if q.AlignByDevice {
				devices = append(devices, device)
			}
			report.Times = append(report.Times, 0)
			sources, names, written = append(sources, t.source), append(names, t.path()), append(written, int64(t.written))
		}
	}
	if q.AlignByDevice {
		report.Columns = append(report.Columns, Column{Name: "SourceDevice", Data: devices})
	}
	report.Columns = append(report.Columns, Column{Name: "SourceColumn", Data: sources},
		Column{Name: "TargetTimeseries", Data: names}, Column{Name: "Written", Data: written})
	return &Result{ctx: ctx, db: r.db, plan: r.plan, fixed: report}, nil
}
