package torture

// Mode is one way to torture.
type Mode struct {
	Name string
	Run  func(Options) *Report

	// What Sized fills in, for ci, nightly and release.
	states [3]int64
	runs   [3]int
	length [3]int
	bits   [3]int
}

var modes = []Mode{
	{Name: "mem", Run: Mem, states: [3]int64{6000, 5_000_000, 100_000_000}},
	{Name: "exhaust", Run: Exhaust, length: [3]int{2, 3, 4}},
	{Name: "flip", Run: Flip, bits: [3]int{1, 8, 8}},
	{Name: "trunc", Run: Trunc},
	{Name: "errno", Run: Errno, runs: [3]int{1, 10, 100}, length: [3]int{2, 1, 1}},
	{Name: "kill", Run: Kill, states: [3]int64{120, 200_000, 1_000_000}},
	{Name: "clock", Run: Clock, states: [3]int64{60, 100_000, 1_000_000}},
	{Name: "soak", Run: Soak},
	{Name: "writers", Run: Writers, states: [3]int64{3000, 1_000_000, 10_000_000}},
	{Name: "plant", Run: Plant, states: [3]int64{6000, 100_000, 100_000}, bits: [3]int{1, 1, 1}},
	{Name: "elide", Run: Elide, states: [3]int64{4000, 5_000_000, 5_000_000}},
}

// Names returns the names of the modes.
func Names() (names []string) {
	for i := range modes {
		names = append(names, modes[i].Name)
	}
	return names
}

// Find returns the mode of that name, nil if there is none.
func Find(name string) *Mode {
	for i := range modes {
		if modes[i].Name == name {
			return &modes[i]
		}
	}
	return nil
}

// Sized fills in what o leaves open, for a size: ci, nightly or release.
func (m *Mode) Sized(o Options, size string) Options {
	i := 0
	switch size {
	case "nightly":
		i = 1
	case "release":
		i = 2
	}
	if o.States == 0 && o.Runs == 0 {
		o.States, o.Runs = m.states[i], m.runs[i]
	}
	if o.Length == 0 {
		o.Length = m.length[i]
	}
	if o.Bits == 0 {
		o.Bits = m.bits[i]
	}
	return o
}
