package exec

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// foldApart folds the windows of the batch series by series, several at once.
// Each column of the batch belongs to one fold, so the result does not depend
// on how they were shared out.
func (t *timeGroups) foldApart(ctx context.Context) error {
	t.share()
	for i, s := range t.need {
		if s == nil {
			for _, w := range t.windows {
				t.batch.Cols[i].Int64s = append(t.batch.Cols[i].Int64s, w.end-1)
			}
		}
	}
	for _, i := range t.alone {
		if err := t.foldOne(ctx, i, t.columns[i]); err != nil {
			return err
		}
	}
	switch len(t.apart) {
	case 0:
		return nil
	case 1:
		return t.foldOne(ctx, t.apart[0], t.columns[t.apart[0]])
	}
	return together(len(t.apart), func(n int) error { return t.foldOne(ctx, t.apart[n], t.columns[t.apart[n]]) })
}

// share finds which columns each fold makes, and which folds may be shared out.
func (t *timeGroups) share() {
	if t.columns != nil {
		return
	}
	t.columns = make([][]int, len(t.folds))
	all := make([]int, len(t.need))
	for i, f := range t.folds {
		n := len(f.makes)
		t.columns[i], all = all[:0:n], all[n:]
	}
	for i, s := range t.need {
		if s != nil {
			f := t.from[i][0][0]
			t.columns[f] = append(t.columns[f], i)
		}
	}
	for i, f := range t.folds {
		if f.series != nil && !f.foreign {
			t.apart = append(t.apart, i)
		} else {
			t.alone = append(t.alone, i) // streams and user code stay on this goroutine
		}
	}
}

// together calls do for 0 to n-1, several at once, and returns when all have
// returned: the error of the least of those that failed.
func together(n int, do func(i int) error) error {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers < 2 {
		for i := range n {
			if err := do(i); err != nil {
				return err
			}
		}
		return nil
	}
	failed := make([]error, n)
	var next atomic.Int32
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			if failed[i] = do(i); failed[i] != nil {
				return
			}
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// foldOne folds the windows of the batch for one fold and writes its columns.
func (t *timeGroups) foldOne(ctx context.Context, i int, columns []int) error {
	for n := 0; n < len(t.windows); n++ {
		if n%64 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if n += t.foldMany(i, t.k+int64(n), t.windows[n:], columns); n >= len(t.windows) {
			return nil
		}
		o, err := t.folds[i].at(ctx, t.k+int64(n), t.windows[n])
		if err != nil {
			return err
		}
		for _, c := range columns {
			if err := o.aggs[t.from[c][0][1]].Result(&t.batch.Cols[c]); err != nil {
				return err
			}
		}
	}
	return nil
}
