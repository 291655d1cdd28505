// Command torture breaks disks, power supplies, processes and clocks below a
// store and compares what is left with an oracle.
//
//	torture MODE [-seed S] [-json] …
//
// It prints a line for machines with -json, then one for humans; failures come
// with the seed and the shrunk calls. The exit code is 1 if there are any.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/tickwell/tickwell/integration/torture"
)

func main() {
	if torture.Child(os.Args) {
		return
	}
	if len(os.Args) < 2 || strings.HasPrefix(os.Args[1], "-") {
		usage()
	}
	name := os.Args[1]
	var o torture.Options
	set := flag.NewFlagSet("torture "+name, flag.ExitOnError)
	asJSON := set.Bool("json", false, "print a line of JSON first")
	size := set.String("size", "ci", "ci, nightly or release: how much is done where the flags below do not say")
	set.Uint64Var(&o.Seed, "seed", 1, "seed of the first run; run i uses seed+i")
	set.Int64Var(&o.States, "states", 0, "how many states to compare")
	set.IntVar(&o.Runs, "runs", 0, "how many runs to make")
	set.IntVar(&o.Length, "length", 0, "exhaust: calls of a sequence")
	set.IntVar(&o.Bits, "bits", 0, "flip: bits of each byte")
	set.StringVar(&o.Policy, "policy", "", "mem: always, interval, buffered or never; default all of them")
	set.StringVar(&o.Dir, "dir", "", "kill, soak: folder on a real disk; default a temporary one")
	set.DurationVar(&o.Limit, "limit", 0, "how long each mode may take")
	_ = set.Parse(os.Args[2:]) // ends the program itself

	names := []string{name}
	if name == "all" {
		names = torture.Names()
	}
	bad := false
	for _, n := range names {
		mode := torture.Find(n)
		if mode == nil {
			usage()
		}
		r := mode.Run(mode.Sized(o, *size))
		r.Print(os.Stdout, *asJSON)
		bad = bad || !r.OK()
	}
	if bad {
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintf(os.Stderr, "usage: torture MODE [flags]; MODE is one of %s, all\n", strings.Join(torture.Names(), ", "))
	os.Exit(2)
}
