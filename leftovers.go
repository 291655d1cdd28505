package tickwell

import "strings"

// reportLeftovers tells the log what the store has of earlier starts and nobody has
// taken up: it looks as if it were at work, and nothing happens. A program may still
// do so after Open.
func (db *DB) reportLeftovers() {
	if db.opts.ReadOnly {
		return
	}
	for _, tr := range db.triggers.Load().all {
		if tr.missing != nil {
			db.log.Info("trigger of an earlier start is not there yet", "trigger", tr.spec.Name, "err", tr.missing)
		}
	}
	db.cqs.mu.Lock()
	queries := db.cqs.sorted()
	db.cqs.mu.Unlock()
	for _, q := range queries {
		if q.inactive != nil {
			db.log.Info("continuous query of an earlier start is not there yet", "cq", q.spec.Name, "err", q.inactive)
		}
	}
	box := db.eng.Outbox()
	for _, i := range box.Sinks() {
		name, dead := strings.CutPrefix(i.Name, deadName(""))
		events, _ := box.Backlog(name)
		if i.Events == 0 || dead && events > 0 || db.sinks.has(name) { // of a sink that has both, the events' turn tells
			continue
		}
		letters, _ := box.Backlog(deadName(name))
		db.log.Info("sink of an earlier start is not there yet", "sink", name, "events", events, "dead letters", letters)
	}
}
