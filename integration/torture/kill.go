package torture

// Child does what a child process of mode kill does, and reports whether this
// process is one.
func Child(args []string) bool { return false }
