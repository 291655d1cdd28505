package exec

import "slices"

// folds makes the folds of timeGroups: one for each stored series, or for all of a
// device where few rows are expected, and one for what has to be computed of rows.
type folds struct {
	r   *run
	a   *aggRows
	all []*fold

	spare  []fold  // memory for those of one series
	shared *fold   // of everything else; nil: none
	args   []*node // its columns
}

// add notes a fold.
func (o *folds) add(f *fold) *fold {
	f.g, f.index = o.r.plan.g, len(o.all)
	o.all = append(o.all, f)
	return f
}

// of returns the fold for a member, and the member's columns in it. alone is those of
// one series that were made, by column of a.direct: in o they would be on the heap.
// left is about how many more are made.
func (o *folds) of(m *aggMember, alone []*fold, left int) (f *fold, cols []int) {
	direct := m.direct >= 0 && o.a.direct != nil
	switch {
	case direct && o.r.small && !m.absent && o.a.direct.series[m.direct] != nil:
		return o.together(m.direct)
	case direct:
		if alone[m.direct] == nil {
			alone[m.direct] = o.apart(m, min(left, len(alone)))
		}
		return alone[m.direct], oneColumn
	case m.absent:
		return o.add(&fold{eof: true}), nil
	}
	if o.shared == nil {
		o.shared = o.add(&fold{exact: o.a.exact})
	}
	for _, arg := range m.args {
		cols = append(cols, len(o.args))
		o.args = append(o.args, arg)
	}
	return o.shared, cols
}

// oneColumn is the columns of an aggregate over the points of a series.
var oneColumn = []int{0}

// apart makes the fold of a series as it is stored.
func (o *folds) apart(m *aggMember, left int) *fold {
	if len(o.spare) == 0 {
		o.spare = make([]fold, min(16, left))
	}
	f := o.add(&o.spare[0])
	o.spare = o.spare[1:]
	f.exact = o.a.exact
	if ser := o.a.direct.series[m.direct]; ser != nil && !m.absent {
		f.series = ser
		f.reads(o.r)
	} else {
		f.eof = true
	}
	return f
}

// together returns the fold of all series of a device as they are stored, and
// the column of one of them in it.
func (o *folds) together(direct int) (*fold, []int) {
	ser := o.a.direct.series[direct]
	var f *fold
	for _, have := range o.all {
		if s, ok := have.rows.(*deviceScan); ok && s.series[0].Device == ser.Device {
			f = have
		}
	}
	if f == nil {
		f = o.add(&fold{exact: o.a.exact, rows: &deviceScan{src: o.r.src, from: o.r.plan.from, to: o.r.plan.to, brief: true}})
	}
	s := f.rows.(*deviceScan)
	c := slices.Index(s.series, ser)
	if c < 0 {
		c = len(s.series)
		s.series = append(s.series, ser)
	}
	return f, []int{c}
}
