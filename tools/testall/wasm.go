package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memoryProgram uses a store in memory; memory/want.txt is what it prints.
const memoryProgram = "tools/testall/testdata/memory"

// wasm builds a program with a store in memory for a WebAssembly target, runs it
// with the first runtime that is installed, and compares what it prints.
func (r *repo) wasm(t target) func(context.Context) outcome {
	return func(ctx context.Context) outcome {
		out, err := output(ctx, r.root, nil, "go", "env", "GOROOT")
		if err != nil {
			return failed("", out)
		}
		file := filepath.Join(r.temp, t.os+".wasm")
		if out, err := output(ctx, r.root, nil, "node", "--version"); err == nil && tooOld(out) {
			return skipped("node " + strings.TrimSpace(out) + " is older than version 18")
		}
		runtime := wasmRuntime(t.os, strings.TrimSpace(out), filepath.Join(r.root, memoryProgram), file, installed)
		if runtime == nil {
			return skipped("no runtime is installed: node" + map[bool]string{true: ", wasmtime or wazero"}[t.os == "wasip1"])
		}
		want, err := os.ReadFile(filepath.Join(r.root, memoryProgram, "want.txt"))
		if err != nil {
			return failed("", err.Error())
		}
		defer os.Remove(file)
		if out, err := output(ctx, r.root, t.env(), "go", "build", "-ldflags=-s -w", "-o", file, "./"+memoryProgram); err != nil {
			return failed("", out)
		}
		out, err = output(ctx, r.root, nil, runtime[0], runtime[1:]...)
		if err != nil {
			return failed(err.Error(), out)
		}
		// output joins both streams; the program names its platform on the second.
		platform := t.name() + "\n"
		if got := strings.Replace(out, platform, "", 1); got != string(want) || got == out {
			return failed("it prints other lines", "got:\n"+out+"\nwant:\n"+string(want)+platform)
		}
		return passed("in memory, under " + runtime[0])
	}
}

// wasmRuntime returns the command that runs file, nil if there is none.
func wasmRuntime(os, goroot, scripts, file string, installed func(string) bool) []string {
	switch {
	case os == "js" && installed("node"):
		return []string{"node", "--stack-size=8192", filepath.Join(goroot, "lib", "wasm", "wasm_exec_node.js"), file}
	case os != "wasip1":
		return nil
	case installed("wasmtime"):
		return []string{"wasmtime", file}
	case installed("wazero"):
		return []string{"wazero", "run", file}
	case installed("node"):
		return []string{"node", "--no-warnings", filepath.Join(scripts, "wasi.mjs"), file}
	}
	return nil
}

// tooOld reports whether a version of node, such as v20.1.0, has no system
// interface for WebAssembly.
func tooOld(version string) bool {
	major, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(version), "v"), ".")
	n, err := strconv.Atoi(major)
	return err == nil && n < 18
}
