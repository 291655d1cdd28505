package main

import (
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
)

// machine samples the computer that the program runs on: the Go runtime
// everywhere, processors and memory where the system tells (Linux).
type machine struct {
	samples    []metrics.Sample
	busy, idle uint64 // of all processors, in ticks, at the last call
}

func newMachine() *machine {
	m := &machine{samples: []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}}
	m.cpu()
	return m
}

// runtime returns the heap in MiB, the goroutines, and the collections so far.
func (m *machine) runtime() (heap float64, goroutines, collections int64) {
	metrics.Read(m.samples)
	mib := float64(m.samples[0].Value.Uint64()) / (1 << 20)
	return float64(int64(mib*100)) / 100, int64(m.samples[1].Value.Uint64()), int64(m.samples[2].Value.Uint64())
}

// cpu returns how busy the processors were since the last call, in percent.
// ok is false where the system does not tell, or nothing has passed.
func (m *machine) cpu() (percent float64, ok bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var all, idle uint64
	for i, f := range strings.Fields(line) {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			continue // the word "cpu"
		}
		all += n
		if i == 4 || i == 5 { // idle and waiting for disks
			idle += n
		}
	}
	busy := all - idle
	db, di := busy-m.busy, idle-m.idle
	m.busy, m.idle = busy, idle
	if db+di == 0 {
		return 0, false
	}
	return float64(int64(1000*float64(db)/float64(db+di))) / 10, true
}

// memory returns how much memory of the computer is in use, in percent.
func (m *machine) memory() (percent float64, ok bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	var total, free float64
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseFloat(f[1], 64)
		switch f[0] {
		case "MemTotal:":
			total = n
		case "MemAvailable:":
			free = n
		}
	}
	if total == 0 {
		return 0, false
	}
	return float64(int64(1000*(total-free)/total)) / 10, true
}
