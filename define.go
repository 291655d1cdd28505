package tickwell

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/window"
)

// definition is what is stored of a trigger: a version byte, its fields as
// pairs of texts, and its parameters as pairs.
type definition struct {
	spec     TriggerSpec
	goType   string // of a trigger made by value
	seq      uint64
	stopped  bool
	strategy FailureStrategy
}

const definitionVersion = 2

func (tr *trigger) defKey() string { return "def/trigger/" + pattern.Quote(tr.spec.Name) }

func (d *definition) append(b []byte) []byte {
	s := &d.spec
	m := map[string]string{
		"name": s.Name, "pattern": s.Pattern, "series": s.Series, "when": s.When.String(), "class": s.Class, "type": d.goType,
		"text": s.Text, "sinks": strings.Join(s.Sinks, "\n"), "dead": s.DeadLetter, "seq": strconv.FormatUint(d.seq, 10),
	}
	flag := func(key string, on bool) {
		if on {
			m[key] = "true"
		}
	}
	number := func(key string, n int64) {
		if n != 0 {
			m[key] = strconv.FormatInt(n, 10)
		}
	}
	flag("stateful", s.Stateful)
	flag("durable", s.Durable)
	flag("stopped", d.stopped)
	flag("pessimistic", d.strategy == Pessimistic)
	number("priority", int64(s.Priority))
	number("retries", int64(s.Retries))
	number("disable", int64(s.DisableAfter))
	number("budget", int64(s.Budget))
	number("queue", int64(s.Queue))
	number("full", int64(s.WhenFull))
	for k, v := range m {
		if v == "" {
			delete(m, k)
		}
	}
	return appendPairs(appendPairs(append(b, definitionVersion), m), s.Params)
}

// decodeDefinition is the inverse. What it does not know, it does not guess.
func decodeDefinition(src []byte) (*definition, error) {
	r := wireReader{codec.Reader{Src: src}}
	if v := r.Byte(); v != definitionVersion {
		return nil, fmt.Errorf("definition of version %d, this program knows %d: %w", v, definitionVersion, errs.Corrupt)
	}
	m, params := r.pairs(), r.pairs()
	if r.Bad || len(r.Src) != 0 {
		return nil, fmt.Errorf("definition of %d bytes makes no sense: %w", len(src), errs.Corrupt)
	}
	take := func(key string) string {
		v := m[key]
		delete(m, key)
		return v
	}
	var bad error
	number := func(key string) int64 {
		v := take(key)
		if v == "" {
			return 0
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			bad = fmt.Errorf("definition: %s is %q: %w", key, v, errs.Corrupt)
		}
		return n
	}
	d := &definition{spec: TriggerSpec{
		Name: take("name"), Pattern: take("pattern"), Series: take("series"), Class: take("class"), DeadLetter: take("dead"), Text: take("text"),
		Stateful: take("stateful") != "", Durable: take("durable") != "", Params: params,
		Priority: int(number("priority")), Retries: int(number("retries")), DisableAfter: int(number("disable")),
		Budget: time.Duration(number("budget")), Queue: int(number("queue")), WhenFull: window.Rejection(number("full")),
	}, goType: take("type"), stopped: take("stopped") != "", seq: uint64(number("seq"))}
	if take("pessimistic") != "" {
		d.strategy = Pessimistic
	}
	if sinks := take("sinks"); sinks != "" {
		d.spec.Sinks = strings.Split(sinks, "\n")
	}
	switch when := take("when"); when {
	case AfterInsert.String():
	case BeforeInsert.String():
		d.spec.When = BeforeInsert
	default:
		bad = fmt.Errorf("definition: event %q is unknown: %w", when, errs.Corrupt)
	}
	for key, v := range m {
		bad = fmt.Errorf("definition: %s = %q is unknown: %w", key, v, errs.Corrupt)
	}
	return d, bad
}

func (db *DB) loadDefinition(name string) (def definition, known bool) {
	tr := trigger{spec: TriggerSpec{Name: name}}
	b, ok := db.eng.Get(tr.defKey())
	if !ok {
		return definition{}, false
	}
	if d, err := decodeDefinition(b); d != nil && err == nil {
		def = *d
	}
	return def, true
}

// define stores the definition of a trigger, unless it is stored as it is.
func (db *DB) define(ctx context.Context, tr *trigger, stopped bool) error {
	d := definition{spec: tr.spec, seq: tr.seq, stopped: stopped, strategy: tr.strategy, goType: tr.className()}
	if tr.spec.Class != "" {
		d.goType = ""
	}
	def := d.append(nil)
	if old, ok := db.eng.Get(tr.defKey()); ok && bytes.Equal(old, def) {
		return nil
	}
	b := engine.Batch{Puts: []engine.Put{{Kind: engine.PutDefinition, Key: tr.defKey(), Value: def}}}
	_, err := db.eng.Commit(ctx, &b, false)
	return err
}

// className is the class of a trigger, or the Go type of one made by value.
func (tr *trigger) className() string {
	if tr.spec.Class != "" || tr.code == nil {
		return tr.spec.Class
	}
	return fmt.Sprintf("%T", tr.code)
}

// installTriggers takes up the triggers that are stored and those that the
// options name, and makes up for durable firings that a crash has cut short.
func (db *DB) installTriggers(ctx context.Context) error {
	for name, factory := range db.opts.Classes {
		if err := db.classes.add(name, factory); err != nil {
			return &Error{Op: "register class", Subject: name, Err: err}
		}
	}
	db.promised.Store(db.lastPromise())
	for key, value := range db.eng.Scan("def/trigger/") {
		d, err := decodeDefinition(value)
		if err != nil && d == nil {
			d = &definition{spec: TriggerSpec{Name: strings.Trim(strings.TrimPrefix(key, "def/trigger/"), "`")}}
		}
		tr := db.storedTrigger(d, err)
		db.created.Store(max(db.created.Load(), d.seq))
		db.addTrigger(tr)
	}
	for _, t := range db.opts.Triggers {
		if err := db.CreateTrigger(ctx, t); err != nil {
			return err
		}
	}
	if err := db.reviveClasses(ctx, ""); err != nil {
		return err
	}
	all := db.triggers.Load().all
	for _, tr := range all {
		tr.owed.Store(tr.spec.Durable)
	}
	for _, tr := range all {
		if !tr.owed.Load() { // or another's made-up firing has come to it
			continue
		}
		if err := db.makeUp(ctx, tr, ""); err != nil {
			return &Error{Op: "open", Subject: tr.spec.Name, Err: err}
		}
	}
	return nil
}

// storedTrigger is a trigger of which only the definition is there.
func (db *DB) storedTrigger(d *definition, err error) *trigger {
	tr := &trigger{spec: d.spec, seq: d.seq, strategy: d.strategy}
	tr.ticket.name = d.spec.Name
	switch {
	case err != nil:
		tr.missing = err
	case d.spec.Class == "":
		tr.missing = fmt.Errorf("it was made by value (%s): create it again, or give it a class", d.goType)
	default:
		tr.missing = fmt.Errorf("class %q is not registered: %w", d.spec.Class, errs.NotFound)
	}
	if tr.pattern, err = pattern.Parse(d.spec.path()); err != nil {
		tr.missing, tr.spec.Class = err, ""
		tr.pattern, _ = pattern.Parse("root") // matches no measurement
	}
	if d.stopped {
		tr.state.Store(stateStopped)
	}
	return tr
}
