package main

import (
	"strings"
	"testing"
)

func TestWasmRuntime(t *testing.T) {
	for _, c := range []struct{ os, installed, want string }{
		{"js", "", ""},
		{"js", "wazero wasmtime", ""},
		{"js", "node", "node --stack-size=8192 G/lib/wasm/wasm_exec_node.js p.wasm"},
		{"wasip1", "", ""},
		{"wasip1", "node", "node --no-warnings S/wasi.mjs p.wasm"},
		{"wasip1", "node wazero", "wazero run p.wasm"},
		{"wasip1", "node wazero wasmtime", "wasmtime p.wasm"},
		{"linux", "node", ""},
	} {
		has := func(name string) bool { return strings.Contains(" "+c.installed+" ", " "+name+" ") }
		if got := strings.ReplaceAll(strings.Join(wasmRuntime(c.os, "G", "S", "p.wasm", has), " "), `\`, "/"); got != c.want {
			t.Errorf("%s with %q: %q, want %q", c.os, c.installed, got, c.want)
		}
	}
}

func TestNodeVersion(t *testing.T) {
	for version, want := range map[string]bool{"v20.20.2\n": false, "v18.0.0": false, "v16.3.1": true, "v9.0": true, "unknown": false} {
		if got := tooOld(version); got != want {
			t.Errorf("%q: %v, want %v", version, got, want)
		}
	}
}
