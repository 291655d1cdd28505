package engine

// What the gate says to who does not take it.
const (
	unused = iota // nobody has passed by it since it was last taken alone
	used
	shut
)

// alone takes the gate exclusively: no commit is under way until together follows.
//
// Single points pass by the gate, which would cost them two atomic writes to memory
// that all writers share. They ask mayPass when they have locked their device. Here
// that is forbidden first, and then each device is locked once: who came before has
// gone, who comes later is turned away. It costs a lock a device where points are
// written, and so a snapshot, which is taken for every query, does without: see
// addPoint.
func (e *Engine) alone() {
	e.gate.Lock()
	if e.passing.Swap(shut) == used {
		e.mem.Pass()
	}
}

// together ends alone. Single points do not ask for what else forbids them: all of it
// is changed here.
func (e *Engine) together() {
	if e.closed || e.watched || e.cfg.ReadOnly || e.retention.on.Load() {
		e.passing.Store(shut)
	} else {
		e.passing.Store(unused)
	}
	e.gate.Unlock()
}

// mayPass reports whether the gate can be passed by until the device is unlocked
// whose lock the caller holds.
func (e *Engine) mayPass() bool {
	p := e.passing.Load()
	return p == used || p == unused && (e.passing.CompareAndSwap(unused, used) || e.passing.Load() == used)
}

// Watch tells whether somebody has to see rows before they are stored. Once it has
// returned, and until it is told otherwise, none comes by AppendPoint.
func (e *Engine) Watch(on bool) {
	e.alone()
	defer e.together()
	e.watched = on
}
