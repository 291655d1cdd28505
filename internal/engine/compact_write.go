package engine

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/segment"
	"github.com/tickwell/tickwell/internal/sorting"
)

// writeCompacted writes the outputs of c, one for each range of time.
func (e *Engine) writeCompacted(ctx context.Context, c *compaction, rate int64) error {
	devices, err := e.contents(c.inputs)
	if err != nil {
		return err
	}
	cuts, err := cutsOf(c.inputs, int64(e.cfg.Partition), e.fileBytes())
	if err != nil {
		return err
	}
	began := e.clock.Mono()
	for i := 0; i+1 < len(cuts); i++ {
		if err := e.writePart(ctx, c, devices, cuts[i], cuts[i+1], func(w *segment.Writer) error {
			return e.pace(ctx, began, c.written+w.Size(), rate)
		}); err != nil {
			return err
		}
	}
	return nil
}

// pace waits until written bytes are allowed, and stops when the store closes.
func (e *Engine) pace(ctx context.Context, began time.Duration, written, rate int64) error {
	select {
	case <-e.done:
		return errs.Closed
	default:
	}
	if rate <= 0 {
		return ctx.Err()
	}
	due := began + time.Duration(float64(written)/float64(rate)*float64(time.Second))
	wait := due - e.clock.Mono()
	if wait < 10*time.Millisecond {
		return ctx.Err()
	}
	awake := make(chan struct{})
	stop := e.clock.AfterFunc(wait, func() { close(awake) })
	select {
	case <-awake:
		return ctx.Err()
	case <-e.done:
		stop()
		return errs.Closed
	case <-ctx.Done():
		stop()
		return ctx.Err()
	}
}

// contents returns the living series of files by device, in the order of the
// devices' first series.
func (e *Engine) contents(files []*blockFile) ([][]*Series, error) {
	seen := map[uint32]bool{}
	byDev := map[uint32][]*Series{}
	for _, f := range files {
		for id, kind := range f.reader.Series() {
			ser, ok := e.cat.ByID(id)
			if !ok || seen[id] {
				continue
			}
			if ser.Kind != kind {
				return nil, f.damaged(errs.Corrupt, f.meta.MinTime, f.meta.MaxTime)
			}
			seen[id] = true
			byDev[ser.Dev.ID] = append(byDev[ser.Dev.ID], ser)
		}
	}
	out := make([][]*Series, 0, len(byDev))
	for _, list := range byDev {
		slices.SortFunc(list, func(a, b *Series) int { return cmp.Compare(a.ID, b.ID) })
		out = append(out, list)
	}
	sorting.By(out, func(a, b []*Series) int { return cmp.Compare(a[0].ID, b[0].ID) })
	return out, nil
}

// cutsOf divides the time of the inputs at bounds of partitions, such that the
// parts have about size bytes or more, as the index tells. The first cut is the
// beginning of time, the last its end.
func cutsOf(inputs []*blockFile, partition, size int64) ([]int64, error) {
	bytes := map[int64]int64{}
	var infos []segment.BlockInfo
	for _, f := range inputs {
		for id := range f.reader.Series() {
			var err error
			if infos, err = f.reader.BlocksIn(infos[:0], id, math.MinInt64, math.MaxInt64); err != nil {
				return nil, f.damaged(err, f.meta.MinTime, f.meta.MaxTime)
			}
			for i := range infos {
				p := infos[i].MinTime / partition
				if infos[i].MinTime%partition < 0 {
					p--
				}
				bytes[p] += int64(infos[i].Values.Length)
			}
		}
	}
	parts := make([]int64, 0, len(bytes))
	for p := range bytes {
		parts = append(parts, p)
	}
	slices.Sort(parts)
	cuts := []int64{MinTime}
	sum := int64(0)
	for _, p := range parts {
		if sum >= size {
			cuts = append(cuts, p*partition)
			sum = 0
		}
		sum += bytes[p]
	}
	return append(cuts, MaxTime+1), nil
}

// writePart writes the points with from <= time < to to one file, if there are
// any.
func (e *Engine) writePart(ctx context.Context, c *compaction, devices [][]*Series, from, to int64, pace func(*segment.Writer) error) error {
	last := to - 1
	h := segment.Header{MinLSN: c.inputs[0].meta.MinLSN}
	newest := int64(math.MinInt64)
	for _, f := range c.inputs {
		h.MinLSN, h.MaxLSN = min(h.MinLSN, f.meta.MinLSN), max(h.MaxLSN, f.meta.MaxLSN)
		newest = max(newest, f.meta.MaxTime)
		h.Coded = h.Coded || f.reader.Meta().Coded // blocks are copied as they are
	}
	h.Cold = e.cfg.Coder != nil && min(last, newest) < e.coldBefore(c.version)
	h.Coded = h.Coded || h.Cold
	w, no, err := e.createBlocks(h)
	if err != nil {
		return err
	}
	bw := blockWriter{w: w, rows: e.cfg.BlockRows, pace: pace}
	for _, series := range devices {
		if err = e.compactDevice(c, &bw, series, from, to, last); err != nil {
			w.Abort()
			return err
		}
	}
	if bw.blocks == 0 {
		return w.Abort()
	}
	f, err := e.finishBlocks(w, no)
	if err != nil {
		return err
	}
	f.meta.Applied = c.applied
	c.outputs = append(c.outputs, f)
	c.written += f.meta.Size
	return nil
}

// compactDevice merges what the inputs hold of a device's series.
func (e *Engine) compactDevice(c *compaction, bw *blockWriter, series []*Series, from, to, last int64) error {
	parts, err := together(c.inputs, series, from, last, &bw.found)
	if err != nil {
		return err
	}
	for _, list := range parts {
		ids := make([]uint32, len(list))
		bw.ids, bw.kinds = nil, nil
		masks := make([][]merge.Mask, len(list))
		for i, ser := range list {
			ids[i] = ser.ID
			bw.ids, bw.kinds = append(bw.ids, ser.ID), append(bw.kinds, ser.Kind)
			masks[i] = append(masks[i], c.version.masks[ser.ID]...)
			if m := c.expired(ser, bw); m.To > math.MinInt64 {
				masks[i] = append(masks[i], m)
			}
		}
		sources := bw.sources[:0]
		for _, f := range c.inputs {
			if f.meta.MaxTime < from || f.meta.MinTime > last {
				continue
			}
			if sources, err = f.look(&bw.found, sources, ids, from, last); err != nil {
				return err
			}
		}
		bw.sources = sources
		if err := bw.merge(masks, from, to, sources); err != nil {
			return err
		}
	}
	return nil
}

// expired hides the points of a series that are left out because of their age. Those
// stay that may hide others in a file that stays: these would show again if the time to
// live became longer, or the clock were set back.
func (c *compaction) expired(ser *Series, bw *blockWriter) merge.Mask {
	m, _ := c.reach.mask(ser)
	for _, f := range c.older {
		if f.meta.MinTime >= m.To || f.fit() && !f.reader.Has(ser.ID) {
			continue
		}
		first := f.meta.MinTime
		if f.fit() {
			infos, err := f.reader.BlocksIn(bw.found.infos[:0], ser.ID, math.MinInt64, m.To-1)
			if bw.found.infos = infos; err == nil {
				if first = m.To; len(infos) > 0 {
					first = infos[0].MinTime
				}
			}
		}
		m.To = max(min(m.To, first), c.reach.floor)
	}
	return m
}

// together divides series into those that share times blocks, in any of the
// files, with each other; series without a block in the range are left out.
func together(files []*blockFile, series []*Series, from, last int64, found *lookup) ([][]*Series, error) {
	root := make([]int, len(series))
	for i := range root {
		root[i] = i
	}
	var find func(int) int
	find = func(i int) int {
		if root[i] != i {
			root[i] = find(root[i])
		}
		return root[i]
	}
	there := make([]bool, len(series))
	infos := found.infos
	defer func() { found.infos = infos }()
	for _, f := range files {
		owner := map[int64]int{}
		for i, ser := range series {
			var err error
			if infos, err = f.reader.BlocksIn(infos[:0], ser.ID, from, last); err != nil {
				return nil, f.damaged(err, f.meta.MinTime, f.meta.MaxTime)
			}
			for k := range infos {
				there[i] = true
				if o, ok := owner[infos[k].Times.Offset]; ok {
					root[find(i)] = find(o)
				} else {
					owner[infos[k].Times.Offset] = i
				}
			}
		}
	}
	var out [][]*Series
	at := map[int]int{}
	for i, ser := range series {
		if !there[i] {
			continue
		}
		k, ok := at[find(i)]
		if !ok {
			k = len(out)
			at[find(i)] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], ser)
	}
	return out, nil
}

// copyFileChunk puts a chunk of another file into the group as it is encoded; its
// checksums are verified on the way.
func (bw *blockWriter) copyFileChunk(b *merge.Block, c *fileChunk) error {
	n := 0
	for _, k := range b.Cols {
		if k >= 0 {
			n += int(c.infos[k].Values.Length)
		}
	}
	times, err := c.file.reader.RawTimes(&bw.scratch, &c.infos[0])
	if err != nil {
		return c.file.damaged(err, b.Min, b.Max)
	}
	if err := bw.roomFor(len(times), n); err != nil {
		return err
	}
	ref, err := bw.w.BeginChunk(times, b.N, b.Min, b.Max)
	if err != nil {
		return err
	}
	alone := n > groupBytes // not held in memory whole: its texts may be long
	if !alone {
		bw.group.begin(ref, len(b.Cols), len(times))
	}
	for i, k := range b.Cols {
		if k < 0 {
			continue
		}
		values, err := c.file.reader.RawValuesOf(&bw.scratch, c.infos, k, c.grouped)
		if err != nil {
			return c.file.damaged(err, b.Min, b.Max)
		}
		if !alone {
			bw.group.add(i, len(b.Cols), bw.group.keep(values), &c.infos[k].Stats)
			continue
		}
		if err := bw.w.AddBlock(bw.ids[i], bw.kinds[i], ref, values, &c.infos[k].Stats); err != nil {
			return err
		}
		bw.blocks++
		if err := bw.paced(); err != nil {
			return err
		}
	}
	return nil
}
