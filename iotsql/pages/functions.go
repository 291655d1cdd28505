package pages

import (
	"errors"
	"time"

	"github.com/tickwell/tickwell"
)

// sum is UDTFExample: for each row the sum of the inputs that have a value.
type sum struct{}

func (sum) BeforeStart(_ *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindFloat64).RowByRow()
	return nil
}

func (sum) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	total := 0.0
	for i := range row.Len() {
		if !row.IsNull(i) {
			total += row.Float64(i)
		}
	}
	return out.PutFloat64(row.UnixNano(), total)
}

// adder is Adder of the page: the sum of two whole numbers, where both are there.
type adder struct{}

func (adder) Validate(in *tickwell.UDFInput) error {
	return errors.Join(in.RequireInputs(2), in.RequireKind(0, tickwell.KindInt32, tickwell.KindInt64),
		in.RequireKind(1, tickwell.KindInt32, tickwell.KindInt64))
}

func (adder) BeforeStart(_ *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindInt64).RowByRow()
	return nil
}

func (adder) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	if row.IsNull(0) || row.IsNull(1) {
		return nil
	}
	return out.PutInt64(row.UnixNano(), row.Value(0).Int64()+row.Value(1).Int64())
}

// counter is Counter of the page: the number of rows of each time window that
// has any.
type counter struct{}

func (counter) BeforeStart(in *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	var n [4]int64
	for i, key := range []string{"time_interval", "sliding_step", "display_window_begin", "display_window_end"} {
		var err error
		if n[i], err = in.Params.Int64(key); err != nil {
			return err
		}
	}
	if n[1] == 0 { // to the store, a step that is not given
		return errors.New("parameter slidingStep(0) should be positive")
	}
	at := func(v int64) time.Time { return time.Unix(0, v*int64(in.Unit)) }
	cfg.Output(tickwell.KindInt32).SlidingTime(time.Duration(n[0])*in.Unit, time.Duration(n[1])*in.Unit).Display(at(n[2]), at(n[3]))
	return nil
}

func (counter) TransformWindow(w *tickwell.RowWindow, out *tickwell.Collector) error {
	if w.Len() == 0 {
		return nil
	}
	return out.PutInt32(w.Start(), int32(w.Len()))
}

// largest is Max of the page: the first of the greatest values, at the end.
type largest struct {
	any  bool
	at   int64
	most int32
}

func (m *largest) Validate(in *tickwell.UDFInput) error { return in.RequireKind(0, tickwell.KindInt32) }

func (m *largest) BeforeStart(_ *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindInt32).RowByRow()
	return nil
}

func (m *largest) TransformRow(row tickwell.Row, _ *tickwell.Collector) error {
	if row.IsNull(0) {
		return nil
	}
	if v := int32(row.Value(0).Int64()); !m.any || v > m.most {
		m.any, m.at, m.most = true, row.UnixNano(), v
	}
	return nil
}

func (m *largest) Terminate(out *tickwell.Collector) error {
	if !m.any {
		return nil
	}
	return out.PutInt32(m.at, m.most)
}
