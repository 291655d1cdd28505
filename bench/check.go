package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tickwell/tickwell/bench/harness"
)

// limit bounds one figure of tickwell as a ratio, which stands a busy machine
// better than time. Exactly one of the bounds is set.
type limit struct {
	Case   string `json:"case"`
	Store  string `json:"store"`
	Metric string `json:"metric"`
	// ToBestPeer must not fall below this.
	ToBestPeer float64 `json:"to_best_peer,omitempty"`
	// ToFloor must not rise above this.
	ToFloor float64 `json:"to_floor,omitempty"`
	// Value must not rise above this: for counts, which do not depend on the machine.
	Value *float64 `json:"value,omitempty"`
}

// slack is how far a ratio may move against the committed median.
const slack = 1.5

// writeLimits records limits for what a run on a busy machine can hold:
// processor time against the best peer, points lost, bytes kept, allocations.
func writeLimits(file string, figures []figure) error {
	var b strings.Builder
	for _, f := range figures {
		if !strings.HasPrefix(f.Store, "tickwell") || f.Runs == 0 {
			continue
		}
		l := limit{Case: f.Case, Store: f.Store, Metric: f.Metric}
		switch {
		case f.Metric == "lost" && f.Class == string(harness.Buffered):
			continue // what was in the buffer when it was killed
		case f.Metric == "lost":
			l.Value = new(float64)
			*l.Value = f.Value
		case f.Metric == "allocations" && f.Class == string(harness.Synced):
			continue // a slow disk leaves time for few points, which bear what is allocated once
		case f.Metric == "kept" || f.Metric == "allocations":
			l.Value = new(float64)
			*l.Value = f.Value*slack + 0.01
		case f.Metric != "cpu" || f.Class == string(harness.Synced):
			continue // walls, and whatever waits for the disk, move by more than any slack that would find a fault
		case f.ToBestPeer > 0:
			l.ToBestPeer = f.ToBestPeer / slack
		default:
			continue
		}
		line, err := json.Marshal(l)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s\n", line)
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// readLimits reads what writeLimits wrote.
func readLimits(file string) (all []limit, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		var l limit
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, l)
	}
	return all, sc.Err()
}

// checkLimits compares figures with limits. A figure that is missing is a
// failure, unless no peer for its ratio was run.
func checkLimits(limits []limit, figures []figure, out io.Writer) error {
	byName := map[[3]string]figure{}
	for _, g := range figures {
		byName[[3]string{g.Case, g.Store, g.Metric}] = g
	}
	checked, bad, alone := 0, 0, 0
	for _, l := range limits {
		g, ok := byName[[3]string{l.Case, l.Store, l.Metric}]
		fail := ""
		switch {
		case !ok:
			fail = "not measured"
		case g.Check != "ok":
			fail = g.Check
		case l.Value != nil && g.Value > *l.Value:
			fail = fmt.Sprintf("%s %s, at most %s", number(g.Value), g.Unit, number(*l.Value))
		case l.ToFloor > 0 && g.ToFloor > l.ToFloor:
			fail = fmt.Sprintf("%.2f times the floor, at most %.2f", g.ToFloor, l.ToFloor)
		case l.ToBestPeer > 0 && g.ToBestPeer == 0:
			alone++ // its peers were not run, or could not be built
			continue
		case l.ToBestPeer > 0 && g.ToBestPeer < l.ToBestPeer:
			fail = fmt.Sprintf("best peer ÷ it is %.2f, at least %.2f", g.ToBestPeer, l.ToBestPeer)
		}
		checked++
		if fail != "" {
			bad++
			fmt.Fprintf(out, "limit: %s, %s, %s: %s\n", l.Case, l.Store, l.Metric, fail)
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d limits exceeded", bad, checked)
	}
	if checked == 0 {
		return errors.New("none of the limits could be checked")
	}
	fmt.Fprintf(out, "\n%d limits held, %d without a peer in this run\n", checked, alone)
	return nil
}
