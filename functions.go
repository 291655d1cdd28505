package tickwell

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/exec"
	"github.com/tickwell/tickwell/internal/sorting"
)

// functions are the registered functions by lower-case name.
type functions struct {
	mu sync.RWMutex
	m  map[string]function
}

type function struct {
	FunctionInfo
	exec.Function
}

// Function finds a function for package exec.
func (f *functions) Function(name string) (exec.Function, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	fn, ok := f.m[name]
	return fn.Function, ok
}

func (f *functions) none() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return len(f.m) == 0
}

// RegisterFunction makes a function available to queries. Functions are Go
// code, gone when the DB is closed: name those that stored definitions use in
// Options.Functions. One with a Class is stored and there again after a reopen.
// ErrNotFound: there is no such class. ErrExists: the name is that of a built-in or registered
// function.
func (db *DB) RegisterFunction(ctx context.Context, spec FunctionSpec) error {
	if err := db.usable(ctx); err != nil {
		return &Error{Op: "register function", Subject: spec.Name, Err: err}
	}
	if err := db.authorize(ctx, ActionCreateFunc, spec.Name); err != nil {
		return err
	}
	if err := db.registerFunction(spec); err != nil || spec.Class == "" {
		return err
	}
	b := engine.Batch{Puts: []engine.Put{{Kind: engine.PutDefinition, Key: functionKey(spec.Name), Value: appendPairs([]byte{functionVersion}, map[string]string{"name": spec.Name, "class": spec.Class})}}}
	if _, err := db.eng.Commit(ctx, &b, false); err != nil {
		db.funcs.remove(spec.Name)
		return &Error{Op: "register function", Subject: spec.Name, Err: err}
	}
	return nil
}

// functionVersion is the first byte of the stored definition of a function.
const functionVersion = 1

func functionKey(name string) string { return "def/function/" + strings.ToLower(name) }

// restoreFunctions takes up the stored definitions. One whose class is not there
// is left out, and stays stored.
func (db *DB) restoreFunctions() {
	for key, value := range db.eng.Scan(functionKey("")) {
		r := wireReader{codec.Reader{Src: value}}
		version := r.Byte()
		def := r.pairs()
		err := fmt.Errorf("definition of %d bytes makes no sense: %w", len(value), errs.Corrupt)
		if !r.Bad && version == functionVersion {
			err = db.registerFunction(FunctionSpec{Name: def["name"], Class: def["class"]})
		}
		if err != nil {
			db.log.Error("stored function is left out", "key", key, "err", err)
		}
	}
}

// ofClass puts the makers of the class in place of its name.
func (db *DB) ofClass(spec FunctionSpec) (FunctionSpec, error) {
	if spec.UDTF != nil || spec.UDAF != nil || spec.closure != "" {
		return spec, fmt.Errorf("both a Class and a maker: %w", errs.BadInput)
	}
	class, ok := db.opts.FunctionClasses[spec.Class]
	if !ok {
		return spec, fmt.Errorf("class %q is not registered%s: %w", spec.Class, others(sortedKeys(db.opts.FunctionClasses)), errs.NotFound)
	}
	if class.Class != "" {
		return spec, fmt.Errorf("class %q is not a maker but the name of a class: %w", spec.Class, errs.BadInput)
	}
	class.Name = spec.Name
	return class, nil
}

// RegisterUDTF is [DB.RegisterFunction] of a function that makes a series.
func (db *DB) RegisterUDTF(ctx context.Context, name string, newUDTF func() UDTF) error {
	return db.RegisterFunction(ctx, FunctionSpec{Name: name, UDTF: newUDTF})
}

// RegisterUDAF is [DB.RegisterFunction] of an aggregate.
func (db *DB) RegisterUDAF(ctx context.Context, name string, newUDAF func() UDAF) error {
	return db.RegisterFunction(ctx, FunctionSpec{Name: name, UDAF: newUDAF})
}

func (db *DB) registerFunction(spec FunctionSpec) error {
	class := spec.Class
	var err error
	if class != "" {
		spec, err = db.ofClass(spec)
	}
	var fn function
	if err == nil {
		fn, err = newFunction(spec)
	}
	if err == nil {
		if class != "" {
			fn.Class = class
		}
		err = db.funcs.add(strings.ToLower(spec.Name), fn)
	}
	if err != nil {
		return &Error{Op: "register function", Subject: spec.Name, Err: err}
	}
	return nil
}

func newFunction(spec FunctionSpec) (fn function, err error) {
	fn.Name = strings.ToUpper(spec.Name)
	switch {
	case spec.Name == "":
		return fn, fmt.Errorf("no name: %w", errs.BadInput)
	case strings.ContainsAny(spec.Name, " \t\r\n\"'`(),;"):
		return fn, fmt.Errorf("the name has a blank, quote, bracket, comma or semicolon: %w", errs.BadInput)
	case spec.closure != "" && spec.UDTF == nil && spec.UDAF == nil:
		fn.Type, fn.Class, fn.Series, fn.Aggregate = "external UDTF", spec.closure, spec.series, spec.aggregate
		if spec.aggregate != nil {
			fn.Type = "external UDAF"
		}
		return fn, nil
	case (spec.UDTF == nil) == (spec.UDAF == nil):
		return fn, fmt.Errorf("one of UDTF and UDAF must be set: %w", errs.BadInput)
	}
	// One value is made now, to learn its type and what it implements.
	var sample any
	err = guarded(spec.Name, "new", nil, func() error {
		if spec.UDTF != nil {
			fn.Type, fn.Series = "external UDTF", newTransformer(spec.UDTF)
			sample = spec.UDTF()
		} else {
			fn.Type, fn.Aggregate = "external UDAF", newAggregator(spec.UDAF)
			sample = spec.UDAF()
		}
		if sample == nil {
			return fmt.Errorf("its maker returned nil: %w", errs.BadInput)
		}
		return nil
	})
	if err != nil {
		return fn, err
	}
	fn.Class = strings.TrimPrefix(reflect.TypeOf(sample).String(), "*")
	fn.Implements = implements(sample)
	if spec.UDTF != nil && !slices.ContainsFunc(fn.Implements, func(s string) bool {
		return s == "RowTransformer" || s == "WindowTransformer" || s == "Mapper"
	}) {
		return fn, fmt.Errorf("%s has neither TransformRow nor TransformWindow nor MapRow: %w", fn.Class, errs.BadInput)
	}
	return fn, nil
}

// implements lists the optional interfaces of a function.
func implements(f any) (names []string) {
	add := func(name string, ok bool) {
		if ok {
			names = append(names, name)
		}
	}
	_, ok := f.(UDFValidator)
	add("UDFValidator", ok)
	_, ok = f.(RowTransformer)
	add("RowTransformer", ok)
	_, ok = f.(WindowTransformer)
	add("WindowTransformer", ok)
	_, ok = f.(Mapper)
	add("Mapper", ok)
	_, ok = f.(Terminator)
	add("Terminator", ok)
	_, ok = f.(Merger)
	add("Merger", ok)
	_, ok = f.(Remover)
	add("Remover", ok)
	_, ok = f.(StateCodec)
	add("StateCodec", ok)
	_, ok = f.(BeforeDestroyer)
	add("BeforeDestroyer", ok)
	return names
}

// add takes key, the name in lower case, from the caller: the lower case of the
// listed name, which is in upper case, may be another ("µ").
func (f *functions) add(key string, fn function) error {
	if _, ok := exec.Builtin(strings.ToLower(fn.Name)); ok {
		return fmt.Errorf("the given function name conflicts with the built-in function name: %w", errs.Exists)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.m[key]; ok {
		return fmt.Errorf("the same name UDF has been created: %w", errs.Exists)
	}
	if f.m == nil {
		f.m = make(map[string]function)
	}
	f.m[key] = fn
	return nil
}

// DropFunction removes a registered function. Queries that run finish with it.
// ErrNotFound: there is none of that name; ErrBadInput: it is built in.
func (db *DB) DropFunction(ctx context.Context, name string) error {
	fail := func(err error) error { return &Error{Op: "drop function", Subject: name, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionDropFunc, name); err != nil {
		return err
	}
	key := strings.ToLower(name)
	if _, ok := exec.Builtin(key); ok {
		return fail(fmt.Errorf("built-in function %s can not be deregistered: %w", strings.ToUpper(name), errs.BadInput))
	}
	known := db.funcs.remove(name)
	_, stored := db.eng.Get(functionKey(name))
	if !known && !stored {
		return fail(fmt.Errorf("this UDF has not been created: %w", errs.NotFound))
	}
	if err := db.forgetKeys(functionKey(name)); err != nil {
		return fail(err)
	}
	return nil
}

// remove takes a function away, if there is one of that name.
func (f *functions) remove(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := strings.ToLower(name)
	_, ok := f.m[key]
	delete(f.m, key)
	return ok
}

// Functions lists the functions that queries can call, built in and
// registered, sorted by name (SHOW FUNCTIONS).
func (db *DB) Functions() iter.Seq[FunctionInfo] {
	var all []FunctionInfo
	for name, typ := range exec.Builtins() {
		all = append(all, FunctionInfo{Name: strings.ToUpper(name), Type: typ})
	}
	db.funcs.mu.RLock()
	for fn := range maps.Values(db.funcs.m) {
		all = append(all, fn.FunctionInfo)
	}
	db.funcs.mu.RUnlock()
	sorting.By(all, func(a, b FunctionInfo) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Values(all)
}
