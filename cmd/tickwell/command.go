package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
)

// A command is one verb of the tool. Flags may stand before, between and after
// its other arguments.
type command struct {
	name  string
	args  string // what follows the name, such as "DIR [FILE…]"
	short string // one line
	long  string // what -h says after the usage
	lo    int    // fewest and most arguments besides flags; hi -1: any number
	hi    int
	flags *flag.FlagSet
	run   func(c *call, args []string) error
}

// commands are all there are, in the order of the help.
func commands() []*command {
	return []*command{
		sqlCommand(),
		inspectCommand(),
		verifyCommand(),
		plotCommand(),
		importCommand(),
		exportCommand(),
		backupCommand(),
		outboxCommand(),
		backtestCommand(),
		completionCommand(),
		versionCommand(),
		helpCommand(),
	}
}

func find(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}

func newFlags() *flag.FlagSet {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

var errHelp = errors.New("help was asked for")

// parse sets the flags and returns the other arguments.
func (c *command) parse(args []string) (rest []string, err error) {
	if c.flags == nil {
		c.flags = newFlags()
	}
	for len(args) > 0 {
		if args[0] == "--" {
			rest, args = append(rest, args[1:]...), nil
			break
		}
		if err := c.flags.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, errHelp
			}
			return nil, usageError(err.Error())
		}
		ended := len(args) > c.flags.NArg() && args[len(args)-c.flags.NArg()-1] == "--"
		args = c.flags.Args()
		if ended {
			return c.counted(append(rest, args...))
		}
		if len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	return c.counted(rest)
}

func (c *command) counted(rest []string) ([]string, error) {
	switch {
	case len(rest) < c.lo:
		return nil, wrongf("an argument is missing")
	case c.hi >= 0 && len(rest) > c.hi:
		return nil, wrongf("too many arguments: %q", rest[c.hi:])
	}
	return rest, nil
}

func (c *command) usage() string {
	s := "tickwell " + c.name
	if c.flags != nil {
		any := false
		c.flags.VisitAll(func(*flag.Flag) { any = true })
		if any {
			s += " [flags]"
		}
	}
	return strings.TrimRight(s+" "+c.args, " ")
}

// help is what -h prints.
func (c *command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nusage: %s\n\n%s", c.short, c.usage(), strings.TrimLeft(c.long, "\n"))
	if c.flags != nil {
		first := true
		c.flags.VisitAll(func(f *flag.Flag) {
			if first {
				fmt.Fprintf(&b, "\nFlags:\n")
				first = false
			}
			kind, text := flag.UnquoteUsage(f)
			fmt.Fprintf(&b, "  %-22s %s", strings.TrimRight("-"+f.Name+" "+kind, " "), text)
			if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
				fmt.Fprintf(&b, " (default %s)", f.DefValue)
			}
			b.WriteByte('\n')
		})
	}
	return b.String()
}

func usage() string {
	var b strings.Builder
	b.WriteString("tickwell looks after time-series stores.\n\nusage: tickwell COMMAND [flags] [arguments]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-11s %s\n", c.name, c.short)
	}
	b.WriteString("\n\"tickwell help COMMAND\" or \"tickwell COMMAND -h\" explains one. Stores are folders.\nOnly sql, import and outbox -redrive write to a store; the others open it for\nreading, also while a program uses it.\n\n")
	b.WriteString(exitCodes)
	return b.String()
}

func helpCommand() *command {
	return &command{
		name: "help", args: "[COMMAND]", short: "Explains the commands.", hi: 1,
		long: "Without a command it lists all, with the exit codes.\n",
		run: func(c *call, args []string) error {
			if len(args) == 0 {
				c.printf("%s", usage())
				return nil
			}
			cmd := find(args[0])
			if cmd == nil {
				return wrongf("there is no command %q%s", args[0], suggestion(args[0]))
			}
			c.printf("%s", cmd.help())
			return nil
		},
	}
}

// suggestion names the command that was probably meant.
func suggestion(name string) string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	best := errs.Nearest(name, names)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}
