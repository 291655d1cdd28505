package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"time"
)

// command prepares a command that is killed with its children when ctx ends. env
// entries are NAME=value.
func command(ctx context.Context, dir string, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = 5 * time.Second
	killWithChildren(cmd)
	return cmd
}

// output runs a command and returns what it printed on either stream.
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	var buf bytes.Buffer
	cmd := command(ctx, dir, env, name, args...)
	cmd.Stdout, cmd.Stderr = &buf, &buf
	err := cmd.Run()
	return buf.String(), err
}

// installed reports whether a program is on the path.
func installed(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// firstLine returns the first line of s that is not empty.
func firstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
