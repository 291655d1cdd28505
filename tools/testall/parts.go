package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// limit is how long the tests of a package may take: on a machine that does other
// work at the same time they take several times as long as alone.
const limit = "-timeout=20m"

// ownPart are the packages whose tests run other programs: they stand in the
// table for themselves, run once and print what they measure.
var ownPart = []string{"internal/seed", "internal/sizegate", "internal/readme"}

// target is a platform that every package must build for.
type target struct{ os, arch, extra string }

func (t target) name() string { return t.os + "/" + t.arch }

func (t target) env() []string {
	env := []string{"GOOS=" + t.os, "GOARCH=" + t.arch, "CGO_ENABLED=0"}
	if t.extra != "" {
		env = append(env, t.extra)
	}
	return env
}

var targets = []target{
	{"linux", "arm", "GOARM=6"},
	{"linux", "mipsle", "GOMIPS=softfloat"},
	{"linux", "riscv64", ""},
	{"linux", "s390x", ""},
	{"linux", "arm64", ""},
	{"windows", "amd64", ""},
	{"darwin", "arm64", ""},
	{"freebsd", "amd64", ""},
	{"js", "wasm", ""},
	{"wasip1", "wasm", ""},
}

// foreign are the targets whose tests qemu can run on Linux: the 32-bit edge
// devices and the big-endian check.
var foreign = []emulation{
	{target{"linux", "arm", "GOARM=6"}, "qemu-arm-static"},
	{target{"linux", "mipsle", "GOMIPS=softfloat"}, "qemu-mipsel-static"},
	{target{"linux", "s390x", ""}, "qemu-s390x-static"},
}

// foreignNightly are 64-bit and little-endian as the machine of the tests is.
var foreignNightly = []emulation{
	{target{"linux", "arm64", ""}, "qemu-aarch64-static"},
	{target{"linux", "riscv64", ""}, "qemu-riscv64-static"},
}

// emulation is a target and the program that runs its programs.
type emulation struct {
	target
	qemu string
}

// leaves are the packages that qemu runs: those where the width and the order
// of bytes matter, and whose tests are quick.
var leaves = []string{
	"expr", "window", "vfs", "internal/column", "internal/pattern", "internal/codec", "internal/block",
	"internal/memtable", "internal/segment", "internal/wal", "internal/catalog",
}

// slowLeaves are tests that qemu does not run: an emulated program cannot start
// itself as a second process, and models of crashes take minutes without
// depending on the processor.
const slowLeaves = "AcrossProcesses|PowerLoss|CrashAtEvery"

// testParts are the parts of the tier that CI runs.
func testParts(r *repo) []part {
	main := r.modules[0]
	parts := []part{
		{"gofmt", time.Minute, r.gofmt},
		{"vet", 10 * time.Minute, r.vet},
		{"tidy", 5 * time.Minute, r.tidy},
		{"unit", 15 * time.Minute, func(ctx context.Context) outcome {
			return r.unit(ctx, goTest{module: main, args: []string{"-vet=off", limit}, record: true})
		}},
	}
	for _, m := range r.modules[1:] {
		parts = append(parts, part{"unit " + m.rel, 10 * time.Minute, func(ctx context.Context) outcome {
			list, err := r.nested(ctx, m)
			if err != nil {
				return failed("", err.Error())
			}
			return r.goTests(ctx, goTest{module: m, args: []string{"-vet=off", "-short", limit}, packages: list, record: true})
		}})
	}
	parts = append(parts, realParts(r)...)
	parts = append(parts,
		part{"race", 30 * time.Minute, r.race},
		part{"unit 386", 15 * time.Minute, r.unit386},
		part{"unit tickwell_small", 10 * time.Minute, r.small},
		part{"examples", 5 * time.Minute, r.examples},
		part{"readme", 5 * time.Minute, r.own("internal/readme", nil)},
		part{"size gate", 5 * time.Minute, r.own("internal/sizegate", nil)},
		part{"bench", 10 * time.Minute, r.bench},
		part{"fuzz iotsql", 5 * time.Minute, r.fuzzSQL},
	)
	for _, t := range targets {
		parts = append(parts, part{"build " + t.name(), 10 * time.Minute, r.build(t)})
	}
	for _, t := range targets {
		if t.arch == "wasm" {
			parts = append(parts, part{"run " + t.name(), 5 * time.Minute, r.wasm(t)})
		}
	}
	for _, f := range foreign {
		parts = append(parts, part{"qemu " + f.name(), 10 * time.Minute, r.emulated(f.target, f.qemu)})
	}
	// Last, since it asks which tests of the parts above really ran.
	return append(parts, part{"seed coverage", 5 * time.Minute, r.own("internal/seed", []string{"TICKWELL_TEST_EVENTS=" + r.events})})
}

func (r *repo) gofmt(ctx context.Context) outcome {
	out, err := output(ctx, r.root, nil, "gofmt", "-l", ".")
	if err != nil || out != "" {
		return failed("files that gofmt changes", out)
	}
	return passed("")
}

// vet runs go vet on every module, tests included.
func (r *repo) vet(ctx context.Context) outcome {
	for _, m := range r.modules {
		if out, err := output(ctx, m.dir, nil, "go", "vet", "./..."); err != nil {
			return failed("module "+m.rel, out)
		}
	}
	return passed(fmt.Sprintf("%d modules", len(r.modules)))
}

// tidy checks that go.mod and go.sum say what the code imports. It needs the
// module proxy or a full module cache.
func (r *repo) tidy(ctx context.Context) outcome {
	for _, m := range r.modules {
		out, err := output(ctx, m.dir, nil, "go", "mod", "tidy", "-diff")
		switch {
		case err == nil:
		case strings.Contains(out, "\n+++ "):
			return failed("module "+m.rel+": run go mod tidy", out)
		default:
			return skipped("modules cannot be loaded: " + firstLine(out))
		}
	}
	return passed(fmt.Sprintf("%d modules", len(r.modules)))
}

// packages lists the packages of the main module without those that have a part
// of their own.
func (r *repo) packages(ctx context.Context, env []string) ([]string, error) {
	out, err := output(ctx, r.root, env, "go", "list", "./...")
	if err != nil {
		return nil, fmt.Errorf("go list: %s", out)
	}
	var list []string
	for p := range strings.FieldsSeq(out) {
		rel := strings.TrimPrefix(strings.TrimPrefix(p, r.modules[0].path), "/")
		if !slices.Contains(ownPart, rel) {
			list = append(list, p)
		}
	}
	return list, nil
}

func (r *repo) unit(ctx context.Context, g goTest) outcome {
	list, err := r.packages(ctx, g.env)
	if err != nil {
		return failed("", err.Error())
	}
	g.packages = list
	return r.goTests(ctx, g)
}

// race runs the tests of the main module under the race detector.
func (r *repo) race(ctx context.Context) outcome {
	if out, err := output(ctx, r.root, nil, "go", "test", "-race", "-run", "^$", "./internal/errs"); err != nil {
		return skipped("no race detector here: " + firstLine(out))
	}
	list, err := r.packages(ctx, nil)
	if err != nil {
		return failed("", err.Error())
	}
	// The long forms of models run without the detector, and nested modules, which
	// are models of crashes, every night.
	return r.goTests(ctx, goTest{module: r.modules[0], args: []string{"-race", "-short", "-vet=off", limit}, packages: list})
}

func (r *repo) unit386(ctx context.Context) outcome {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return skipped("386 programs run on linux/amd64 only")
	}
	return r.unit(ctx, goTest{module: r.modules[0], env: target{"linux", "386", ""}.env(), args: []string{"-vet=off", "-short", limit}})
}

// small runs the tests of the packages that the tag tickwell_small changes.
func (r *repo) small(ctx context.Context) outcome {
	list := []string{"."}
	for _, p := range []string{"codec", "deliver", "engine", "exec", "logs", "memtable", "schedule", "sorting", "wal"} {
		list = append(list, "./internal/"+p)
	}
	return r.goTests(ctx, goTest{
		module: r.modules[0], args: []string{"-vet=off", "-short", limit, "-tags=tickwell_small"}, packages: append(list, "./sink/local", "./sink/webhook"),
	})
}

// own runs a package that has a part of its own. What its tests log in lines
// that begin with "note:" goes into the table.
func (r *repo) own(rel string, env []string) func(context.Context) outcome {
	return func(ctx context.Context) outcome {
		return r.goTests(ctx, goTest{
			module: r.modules[0], env: env, args: []string{"-vet=off", "-count=1"},
			packages: []string{"./" + rel}, record: true,
		})
	}
}

// build compiles every package of the main module for a target.
func (r *repo) build(t target) func(context.Context) outcome {
	return func(ctx context.Context) outcome {
		if out, err := output(ctx, r.root, t.env(), "go", "build", "./..."); err != nil {
			return failed("", out)
		}
		return passed(t.extra)
	}
}

// emulated runs the tests of the leaf packages of a target under qemu.
func (r *repo) emulated(t target, qemu string) func(context.Context) outcome {
	return func(ctx context.Context) outcome {
		if !installed(qemu) {
			if why := r.missing[qemu]; why != "" {
				return skipped(qemu + ": " + why)
			}
			return skipped(qemu + " is not installed")
		}
		var list []string
		for _, p := range leaves {
			if goFiles, _ := filepath.Glob(filepath.Join(r.root, p, "*.go")); len(goFiles) > 0 {
				list = append(list, "./"+p)
			}
		}
		return r.goTests(ctx, goTest{
			module: r.modules[0], env: t.env(),
			args: []string{"-vet=off", "-short", limit, "-skip", slowLeaves, "-exec", qemu}, packages: list,
		})
	}
}

// dataFolder is where the labelled series lie that examples/nab reads: beside
// the repository, or where TICKWELL_DATA says. Empty if neither exists.
func (r *repo) dataFolder() string {
	for _, dir := range []string{os.Getenv("TICKWELL_DATA"), filepath.Join(r.root, "..", "shared", "data", "nab")} {
		if dir == "" {
			continue
		}
		if files, _ := filepath.Glob(filepath.Join(dir, "*.csv")); len(files) > 0 {
			return dir
		}
	}
	return ""
}
