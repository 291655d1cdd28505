package harness

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
)

// CaseResult is one figure of a program below cases/, printed as a JSON line.
type CaseResult struct {
	Case, Store, Version string
	Metric               string
	Value                float64
	Check                string // "ok", or what was wrong
	Err                  string
}

// Report prints one figure.
func Report(c CaseResult) {
	if c.Check == "" {
		c.Check = "ok"
	}
	line, err := json.Marshal(c)
	if err != nil {
		line = fmt.Appendf(nil, "%q", err.Error())
	}
	fmt.Printf("%s\n", line)
}

// Version returns the version of a module in this program, or "?".
func Version(module string) string {
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		return "?"
	}
	for _, d := range bi.Deps {
		if d.Path == module {
			if d.Replace != nil {
				return "this tree"
			}
			return d.Version
		}
	}
	return "?"
}

// CPU returns the processor time of this process in nanoseconds.
func CPU() int64 { return cpuNS() }
