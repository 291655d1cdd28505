package main

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"sync"
)

// The floors of this file are not single steps but the least that a store does
// in Go for the workload: what is written here is the work without an index, a
// lock that is held long, a choice of encoding or an error to report.

const (
	floorSeries = 1000
	hotPoints   = 64 // of a series, so that all fit the cache
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// pad is a store of the least kind: the newest points of each series as
// integers, sealed as byte deltas when there are enough.
type pad struct {
	mu     sync.Mutex
	last   [floorSeries]int64
	hot    [floorSeries][hotPoints]int64
	used   [floorSeries]int
	sealed []byte
	record []byte
}

// decimal finds the integer that v is the hundredth of.
func decimal(v float64) (int64, bool) {
	x := math.Round(v * 100)
	return int64(x), x/100 == v
}

// put appends a point to the cache, and seals when it is full.
func (p *pad) put(s int, x int64) {
	n := p.used[s]
	p.hot[s][n] = x
	if n++; n < hotPoints {
		p.used[s] = n
		return
	}
	p.used[s] = 0
	if len(p.sealed) > 1<<16 {
		p.sealed = p.sealed[:0]
	}
	last := int64(0)
	for _, x := range &p.hot[s] {
		p.sealed = append(p.sealed, byte(x-last))
		last = x
	}
}

// tick writes the points of all series: into memory, and into a log if there is
// one.
func (p *pad) tick(values []float64, log *os.File) error {
	p.record = p.record[:0]
	for s, v := range values {
		x, _ := decimal(v)
		if log != nil {
			p.record = binary.AppendVarint(p.record, x-p.last[s])
			p.last[s] = x
		}
		p.put(s, x)
	}
	if log == nil {
		return nil
	}
	p.record = binary.LittleEndian.AppendUint32(p.record, crc32.Checksum(p.record, castagnoli))
	_, err := log.Write(p.record)
	return err
}

// one writes a single point under a lock, and into a buffer for the log if
// there is one.
func (p *pad) one(s int, v float64, log bool) {
	p.mu.Lock()
	x, _ := decimal(v)
	if log {
		if len(p.record) > 1<<16 {
			p.record = p.record[:0]
		}
		from := len(p.record)
		p.record = binary.AppendVarint(binary.AppendUvarint(p.record, uint64(s)), x-p.last[s])
		p.record = binary.LittleEndian.AppendUint32(p.record, crc32.Checksum(p.record[from:], castagnoli))
		p.last[s] = x
	}
	p.put(s, x)
	p.mu.Unlock()
}

// replay reads a record of a tick and puts its points back.
func (p *pad) replay(record []byte) error {
	if n := len(record) - 4; crc32.Checksum(record[:n], castagnoli) == binary.LittleEndian.Uint32(record[n:]) {
		record = record[:n]
	}
	for s := 0; len(record) > 0; s++ {
		d, n := binary.Varint(record)
		record = record[n:]
		p.last[s] += d
		p.put(s, p.last[s])
	}
	return nil
}

// workFloors adds the floors that are made of several steps.
func workFloors(dir string, q map[string]float64) error {
	f, err := os.Create(filepath.Join(dir, "floor-log"))
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	const ticks = 256
	rows := make([][]float64, ticks)
	x := uint64(0x9E3779B97F4A7C15)
	state := make([]int64, floorSeries)
	for i := range rows {
		rows[i] = make([]float64, floorSeries)
		for s := range state {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			state[s] += int64(x&255) - 127
			rows[i][s] = float64(state[s]) / 100
		}
	}
	p := &pad{}
	all := func(log *os.File) func() error {
		return func() error {
			for _, values := range rows {
				if err := p.tick(values, log); err != nil {
					return err
				}
			}
			return nil
		}
	}
	points := func(log bool) func() error {
		return func() error {
			for _, values := range rows {
				for s, v := range values {
					p.one(s, v, log)
				}
			}
			return nil
		}
	}
	q["hot"] = median(5, ticks*floorSeries, all(nil))
	q["logged"] = median(5, ticks*floorSeries, all(f))
	q["hot1"] = median(5, ticks*floorSeries, points(false))
	q["logged1"] = median(5, ticks*floorSeries, points(true))
	if err := p.tick(rows[0], f); err != nil {
		return err
	}
	record := append([]byte(nil), p.record...)
	q["replay"] = median(5, ticks*floorSeries, func() error {
		for range ticks {
			if err := p.replay(record); err != nil {
				return err
			}
		}
		return nil
	})
	readFloors(q)
	return nil
}

// readFloors times the least that reading takes: byte deltas of 1,024 points are
// decoded and handed to a function (decode) or averaged by six (fold), ten block
// summaries are added up (blocks), a thousand slots are handed over (slots).
func readFloors(q map[string]float64) {
	const n = 1024
	packed := make([]byte, n)
	for i := range packed {
		packed[i] = byte(i * 37)
	}
	var values [n]float64
	var times [n]int64
	unpack := func() {
		v, t := int64(5000), int64(0)
		for i, d := range packed {
			v += int64(int8(d))
			t += 10_000
			times[i], values[i] = t, float64(v)/100
		}
	}
	visit := func(_ int64, v float64) { sink += v }
	q["decode"] = median(7, 100*n, func() error {
		for range 100 {
			unpack()
			for i, v := range &values {
				visit(times[i], v)
			}
		}
		return nil
	})
	q["fold"] = median(7, 100*n, func() error {
		for range 100 {
			unpack()
			sum, next := 0.0, int64(60_000)
			for i, v := range &values {
				if times[i] >= next {
					sink += sum / 6
					sum, next = 0, next+60_000
				}
				sum += v
			}
		}
		return nil
	})
	type slot struct {
		mu sync.Mutex
		t  int64
		v  float64
	}
	slots := make([]*slot, floorSeries)
	for i := range slots {
		slots[i] = &slot{t: int64(i), v: 1}
	}
	q["slots"] = median(7, 100, func() error {
		for range 100 {
			for _, s := range slots {
				s.mu.Lock()
				t, v := s.t, s.v
				s.mu.Unlock()
				visit(t, v)
			}
		}
		return nil
	})
	q["tail"] = median(7, 1000, func() error {
		for range 1000 {
			for i := n - 30; i < n; i++ {
				visit(times[i], values[i])
			}
		}
		return nil
	})
}
