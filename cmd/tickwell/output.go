package main

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// output is standard output. It remembers its first error, so that a command
// whose output is lost, on a full disk say, does not end as if all were well.
type output struct {
	w   io.Writer
	mu  sync.Mutex
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil {
		o.mu.Lock()
		if o.err == nil {
			o.err = err
		}
		o.mu.Unlock()
	}
	return n, err
}

// failed returns what was said when a write failed, nil if none has.
func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		return nil
	}
	return fmt.Errorf("write the output: %w", o.err)
}

// fileOf returns the file behind standard input or output, if it is one.
func fileOf(v any) (*os.File, bool) {
	if o, ok := v.(*output); ok {
		v = o.w
	}
	f, ok := v.(*os.File)
	return f, ok
}
