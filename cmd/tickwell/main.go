// Command tickwell looks after stores of package tickwell from the command line:
// it looks into them, checks them, moves rows in and out, draws charts, and
// speaks the SQL of the documents.
//
// "tickwell help" lists the commands and "tickwell help COMMAND" explains one.
// Only sql, import and outbox redrive write to a store; all others open it for
// reading, also while a program uses it. docs/shell.md has the whole story.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/tickwell/tickwell"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the program at once
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The exit codes of all commands.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitDamage      = 3
	exitLocked      = 4
	exitInterrupted = 130
)

const exitCodes = `Exit codes:
    0  done
    1  failed; the reason is on standard error
    2  wrong usage; nothing was done
    3  the store is damaged
    4  the store is in use by another program
  130  interrupted by Ctrl-C; import and export go on there when started again
`

// A call is one run of a command.
type call struct {
	context.Context
	in       io.Reader
	out, err io.Writer
}

func (c *call) printf(format string, args ...any) { fmt.Fprintf(c.out, format, args...) }

// note tells something that is not output.
func (c *call) note(format string, args ...any) {
	fmt.Fprintf(c.err, "tickwell: "+format+"\n", args...)
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &output{w: stdout}
	c := &call{ctx, stdin, out, stderr}
	if len(args) == 0 {
		fmt.Fprint(stderr, usage())
		return exitUsage
	}
	name, args := args[0], args[1:]
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	cmd := find(name)
	if cmd == nil {
		fmt.Fprintf(stderr, "tickwell: there is no command %q%s; \"tickwell help\" lists them\n", name, suggestion(name))
		return exitUsage
	}
	rest, err := cmd.parse(args)
	if errors.Is(err, errHelp) {
		c.printf("%s", cmd.help())
		err = nil
	} else if err == nil {
		err = cmd.run(c, rest)
	}
	if err == nil {
		err = out.failed()
	}
	return c.exit(cmd, err)
}

// exit reports an error and turns it into an exit code.
func (c *call) exit(cmd *command, err error) int {
	var wrong usageError
	var reported exitError
	var damaged damagedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &reported):
		return int(reported)
	case errors.As(err, &wrong):
		fmt.Fprintf(c.err, "tickwell %s: %v\nusage: %s\n\"tickwell %s -h\" explains it\n", cmd.name, err, cmd.usage(), cmd.name)
		return exitUsage
	case c.Err() != nil && errors.Is(err, context.Canceled):
		c.note("%s: interrupted", cmd.name)
		return exitInterrupted
	case errors.Is(err, tickwell.ErrLocked):
		c.note("%s: the store is in use by another program (%v)", cmd.name, err)
		return exitLocked
	}
	text := strings.TrimPrefix(err.Error(), "tickwell: ")
	text = strings.TrimPrefix(text, cmd.name+" ") // the operation has the name of the command
	fmt.Fprintf(c.err, "tickwell %s: %s\n", cmd.name, text)
	if errors.As(err, &damaged) || errors.Is(err, tickwell.ErrDamaged) {
		return exitDamage
	}
	return exitFailed
}

// usageError says that a command was called wrongly.
type usageError string

func (e usageError) Error() string { return string(e) }

func wrongf(format string, args ...any) error { return usageError(fmt.Sprintf(format, args...)) }

// exitError ends the program with a code; what is to be said has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }
