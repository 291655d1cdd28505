package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tickwell/tickwell/bench/harness"
)

// result is what one process reported and what its parent knows.
type result struct {
	run   string // inorder, reopen, ooo, row, single, two, recover, size, or the name of a case
	rep   int
	acked int64 // recover: points acknowledged before the kill
	harness.Result
}

func (r *result) store() string { return strings.TrimSuffix(r.Peer+"/"+r.Variant, "/") }

// measure runs every program of s. The order rotates from one repetition to the
// next, so that nobody always runs on a warm or a busy machine.
func measure(ctx context.Context, s settings) (results []result, skipped []string, err error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, nil, err
	}
	programs, err := findPrograms(root, s.only)
	if err != nil {
		return nil, nil, err
	}
	work, err := os.MkdirTemp(s.dir, "tickwell-bench-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(work)
	r := runner{settings: s, work: work, from: time.Now().Add(-30 * time.Hour).Truncate(2 * time.Hour).UnixMilli()}
	type entry struct {
		program
		file, variant string
	}
	var entries []entry
	for _, p := range programs {
		fmt.Fprintf(s.verbose, "build %s\n", p.name)
		file, err := build(ctx, p, work)
		if err != nil {
			skipped = append(skipped, p.name+": "+err.Error())
			fmt.Fprintf(s.verbose, "skip %s: %v\n", p.name, err)
			continue
		}
		if info, err := os.Stat(file); err == nil && filepath.Base(filepath.Dir(p.dir)) == "peers" {
			weight, err := dependencies(ctx, p)
			size := result{run: "size", Result: harness.Result{Peer: p.name, DiskLen: info.Size(), Q: weight, Check: "ok"}}
			if err != nil {
				size.Err = err.Error()
			}
			r.results = append(r.results, size)
		}
		for _, v := range p.variants {
			entries = append(entries, entry{p, file, v})
		}
	}
	for rep := range s.reps {
		r.floors(ctx, rep)
		for i := range entries {
			e := entries[(i+rep)%len(entries)]
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			if filepath.Base(filepath.Dir(e.dir)) == "cases" {
				r.cases(ctx, e.file, e.variant, rep)
			} else {
				r.phases(ctx, e.file, e.variant, rep)
			}
		}
	}
	return r.results, skipped, ctx.Err()
}

type runner struct {
	settings
	work    string
	from    int64
	results []result
}

// phases runs one store through every way of writing, then reopening.
func (r *runner) phases(ctx context.Context, file, variant string, rep int) {
	for _, mode := range []string{"inorder", "ooo", "row", "single", "two", "recorded", "kill"} {
		dir := filepath.Join(r.work, "data")
		_ = os.RemoveAll(dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			r.add(result{run: mode, rep: rep, Result: harness.Result{Peer: filepath.Base(file), Variant: variant, Err: err.Error()}})
			return
		}
		args := []string{"-dir", dir, "-variant", variant, "-from", fmt.Sprint(r.from), "-asktime", r.asking.String()}
		points, limit := r.points, r.short
		switch mode {
		case "inorder":
			limit = r.long
		case "row", "single":
			points = r.one
		case "recorded":
			if r.data == "" {
				continue
			}
			args = append(args, "-data", r.data, "-gateways", fmt.Sprint(r.gateways))
		case "kill":
			r.kill(ctx, file, variant, rep, args)
			continue
		}
		in := r.child(ctx, mode, file, variant, rep, append(args, "-mode", mode, "-points", fmt.Sprint(points),
			"-maxtime", limit.String(), fmt.Sprintf("-queries=%t", mode == "inorder" || r.askAlways)))
		if mode == "inorder" && in.Err == "" && !in.InMemory {
			r.child(ctx, "reopen", file, variant, rep, append(args, "-phase", "reopen", "-points", fmt.Sprint(in.Points)))
		}
		if in.Err != "" && mode == "inorder" {
			return // the rest would say the same
		}
	}
}

// cases runs a program that measures one thing after the other and reports each
// on a line.
func (r *runner) cases(ctx context.Context, file, variant string, rep int) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, "-variant", variant, "-events", fmt.Sprint(r.events))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		r.add(result{run: filepath.Base(file), rep: rep, Result: harness.Result{Peer: variant, Err: fmt.Sprintf("%v: %.200s", err, lastLine(errs.Bytes()))}})
	}
	for line := range strings.Lines(string(out)) {
		var c harness.CaseResult
		if json.Unmarshal([]byte(line), &c) == nil && c.Case != "" {
			r.add(result{run: c.Case, rep: rep, Result: harness.Result{Peer: c.Store, Version: c.Version, Class: harness.Memory,
				Q: map[string]float64{c.Metric: c.Value}, Check: c.Check, Err: c.Err}})
		}
	}
}

func (r *runner) floors(ctx context.Context, rep int) {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(r.verbose, "floors:", err)
		return
	}
	out, err := exec.CommandContext(ctx, self, "floors", r.work).Output()
	var q map[string]float64
	if err == nil {
		err = json.Unmarshal(bytes.TrimSpace(out), &q)
	}
	res := harness.Result{Peer: "floor", Q: q, Check: "ok"}
	if err != nil {
		res.Err = err.Error()
	}
	r.add(result{run: "floor", rep: rep, Result: res})
}

func (r *runner) add(x result) {
	r.results = append(r.results, x)
	note := x.Check
	if x.Err != "" {
		note = x.Err
	}
	fmt.Fprintf(r.verbose, "%s rep %d: %-20s %-22s %8d points %6.0f ns/point  %.100s\n", time.Now().Format("15:04:05"), x.rep+1,
		x.store(), x.run, x.Points, float64(x.WriteNS)/float64(max(1, x.Points)), strings.ReplaceAll(note, "\n", " "))
}

func parse(out, errs []byte, err error) (x harness.Result) {
	if e := json.Unmarshal([]byte(lastLine(out)), &x); e != nil {
		x.Err = fmt.Sprintf("no result: %v %.300s", err, errs)
	}
	return x
}

func (r *runner) child(ctx context.Context, run, file, variant string, rep int, args []string) result {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	name := fmt.Sprintf("%s-%s-%s-%d.pprof", filepath.Base(file), variant, run, rep)
	if r.cpu != "" {
		args = append(args, "-cpuprofile", filepath.Join(r.cpu, name))
	}
	if r.mem != "" {
		args = append(args, "-memprofile", filepath.Join(r.mem, name))
	}
	cmd := exec.CommandContext(ctx, file, args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	x := result{run: run, rep: rep, Result: parse(o.Bytes(), e.Bytes(), err)}
	if x.Peer == "" {
		x.Peer, x.Variant = filepath.Base(file), variant
	}
	if ctx.Err() != nil && x.Err != "" {
		x.Err = "no end within " + r.timeout.String()
	}
	r.add(x)
	return x
}

// kill stops a writer with SIGKILL and measures what the next open finds.
func (r *runner) kill(ctx context.Context, file, variant string, rep int, args []string) {
	if variant == "mem" || filepath.Base(file) == "naive" {
		return
	}
	ackFile := filepath.Join(r.work, "acked")
	_ = os.Remove(ackFile)
	cmd := exec.CommandContext(ctx, file, append(args, "-points", fmt.Sprint(r.killed*100), "-maxtime", "1m", "-queries=false", "-ack", ackFile)...)
	if err := cmd.Start(); err != nil {
		r.add(result{run: "recover", rep: rep, Result: harness.Result{Peer: filepath.Base(file), Variant: variant, Err: err.Error()}})
		return
	}
	acked := func() int64 {
		if a, err := os.ReadFile(ackFile); err == nil && len(a) == 8 {
			return int64(binary.LittleEndian.Uint64(a))
		}
		return 0
	}
	for end := time.Now().Add(r.short); time.Now().Before(end) && acked() < r.killed && ctx.Err() == nil; {
		time.Sleep(2 * time.Millisecond)
	}
	_ = cmd.Process.Signal(syscall.SIGKILL)
	_ = cmd.Wait()
	n := acked()
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	re := exec.CommandContext(ctx, file, append(args, "-phase", "reopen", "-points", fmt.Sprint(n), "-queries=false")...)
	var o, e bytes.Buffer
	re.Stdout, re.Stderr = &o, &e
	err := re.Run()
	x := result{run: "recover", rep: rep, acked: n, Result: parse(o.Bytes(), e.Bytes(), err)}
	if x.Peer == "" {
		x.Peer, x.Variant = filepath.Base(file), variant
	}
	r.add(x)
}
