package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// write puts a run into a file of JSON lines: what was run on what, then a line
// for each figure, then one for each thing that the goals ask for.
func (r *report) write(file string, std io.Writer) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	if err := e.Encode(r); err != nil {
		return err
	}
	for _, f := range r.figures {
		if err := e.Encode(f); err != nil {
			return err
		}
	}
	for _, g := range r.goals {
		if err := e.Encode(g); err != nil {
			return err
		}
	}
	if file == "-" {
		_, err := std.Write(b.Bytes())
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// readReport reads such a file. The goals are compared again.
func readReport(file string) (*report, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := &report{}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		var line struct {
			Machine, Case string
			Goal          int
		}
		err := json.Unmarshal(sc.Bytes(), &line)
		switch {
		case err != nil:
		case line.Case != "":
			var x figure
			if err = json.Unmarshal(sc.Bytes(), &x); err == nil {
				r.figures = append(r.figures, x)
			}
		case line.Machine != "":
			err = json.Unmarshal(sc.Bytes(), r)
		case line.Goal == 0:
			err = fmt.Errorf("neither a run, a figure nor a goal")
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	r.goals = reach(r.figures, !r.Quick)
	return r, sc.Err()
}
