package tickwell

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tickwell/tickwell/internal/errs"
)

// classes are the factories of triggers, by name.
type classes struct {
	mu sync.Mutex
	m  map[string]func() Trigger
}

func (c *classes) add(name string, factory func() Trigger) error {
	switch {
	case name == "":
		return fmt.Errorf("no name: %w", errs.BadInput)
	case factory == nil:
		return fmt.Errorf("no factory: %w", errs.BadInput)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m[name] != nil {
		return fmt.Errorf("a class of this name is registered: %w", errs.Exists)
	}
	if c.m == nil {
		c.m = make(map[string]func() Trigger)
	}
	c.m[name] = factory
	return nil
}

func (c *classes) instance(name string) (tr Trigger, err error) {
	c.mu.Lock()
	factory := c.m[name]
	known := sortedKeys(c.m)
	c.mu.Unlock()
	if factory == nil {
		return nil, fmt.Errorf("class %q is not registered%s: %w", name, others(known), errs.NotFound)
	}
	if err := call(name, func() error { tr = factory(); return nil }); err != nil {
		return nil, err
	}
	if tr == nil {
		return nil, fmt.Errorf("the factory of class %q returned nil: %w", name, errs.BadInput)
	}
	return tr, nil
}

// RegisterClass adds a trigger class to those of Options.Classes. Stored
// triggers of the class that are INACTIVE are taken into service. A name is
// registered once; to replace a class, drop it first.
func (db *DB) RegisterClass(ctx context.Context, name string, factory func() Trigger) error {
	fail := func(err error) error { return &Error{Op: "register class", Subject: name, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.lockReg(ctx); err != nil {
		return fail(err)
	}
	defer db.unlockReg()
	if users := db.instances(name); users != nil {
		return fail(fmt.Errorf("triggers %s are instances of it: %w", strings.Join(users, ", "), errs.Exists))
	}
	if err := db.classes.add(name, factory); err != nil {
		return fail(err)
	}
	return db.revive(ctx, name)
}

// DropClass forgets a class. It is refused, with the list of them, while there
// are triggers made from it: so all triggers of a class always run the same
// code.
func (db *DB) DropClass(ctx context.Context, name string) error {
	fail := func(err error) error { return &Error{Op: "drop class", Subject: name, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.lockReg(ctx); err != nil {
		return fail(err)
	}
	defer db.unlockReg()
	if users := db.instances(name); users != nil {
		return fail(fmt.Errorf("triggers %s are instances of it: %w", strings.Join(users, ", "), errs.Exists))
	}
	db.classes.mu.Lock()
	defer db.classes.mu.Unlock()
	if db.classes.m[name] == nil {
		return fail(errs.NotFound)
	}
	delete(db.classes.m, name)
	return nil
}

// instances names the triggers that run code of a class.
func (db *DB) instances(class string) (names []string) {
	for _, tr := range db.triggers.Load().all {
		if tr.spec.Class == class && tr.code != nil {
			names = append(names, tr.spec.Name)
		}
	}
	return names
}

// reviveClasses is revive where the registration lock is not held.
func (db *DB) reviveClasses(ctx context.Context, class string) error {
	if err := db.lockReg(ctx); err != nil {
		return err
	}
	defer db.unlockReg()
	return db.revive(ctx, class)
}

// revive takes stored triggers of a class ("": of all) into service, in the
// order in which they were created. One whose hooks fail stays INACTIVE.
func (db *DB) revive(ctx context.Context, class string) error {
	all := slices.Clone(db.triggers.Load().all)
	slices.SortFunc(all, func(a, b *trigger) int { return cmp.Compare(a.seq, b.seq) })
	for _, old := range all {
		if old.code != nil || old.spec.Class == "" || class != "" && old.spec.Class != class {
			continue
		}
		tr, err := db.newTrigger(old.spec)
		if err == nil {
			err = db.checkSeries(tr)
		}
		if err == nil {
			err = db.activate(ctx, tr, nil)
		}
		if err != nil {
			stay := db.storedTrigger(&definition{spec: old.spec, seq: old.seq, strategy: old.strategy}, nil)
			stay.state.Store(old.state.Load())
			stay.missing = err
			db.addTrigger(stay)
			db.log.Warn("trigger stays inactive", "trigger", old.spec.Name, "err", err)
		}
		if cerr := ctx.Err(); cerr != nil {
			return cerr
		}
	}
	return nil
}

// others says which classes are registered instead of the one that is not.
func others(known []string) string {
	if len(known) == 0 {
		return ", nor is any other"
	}
	return fmt.Sprintf("; there are %q", known)
}
