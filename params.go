package tickwell

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
)

// Params are the named arguments of a function call and the attributes of a
// trigger (the documents' WITH clause). Keys are case-sensitive, values are
// text; the getters convert. Reading is safe for concurrent use.
type Params map[string]string

// Has reports whether key is given.
func (p Params) Has(key string) bool { _, ok := p[key]; return ok }

// Text returns the value of key, "" if it is not given (getString).
func (p Params) Text(key string) string { return p[key] }

// TextOr returns the value of key, or def if it is not given.
func (p Params) TextOr(key, def string) string {
	if v, ok := p[key]; ok {
		return v
	}
	return def
}

// Bool returns whether the value of key is "true" in any letter case; every
// other text is false (getBoolean). A missing key is an error.
func (p Params) Bool(key string) (bool, error) {
	v, err := p.need(key)
	return strings.EqualFold(v, "true"), err
}

// BoolOr is [Params.Bool] with a default for a missing key.
func (p Params) BoolOr(key string, def bool) bool {
	if v, ok := p[key]; ok {
		return strings.EqualFold(v, "true")
	}
	return def
}

// Int64 returns the value of key as an integer (getInt, getLong). A missing
// key or a text that is no integer is an error that names both.
func (p Params) Int64(key string) (int64, error) {
	v, err := p.need(key)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	if err != nil {
		return 0, p.bad(key, v, "an integer")
	}
	return n, nil
}

// Int64Or is [Params.Int64] with a default for a missing key.
func (p Params) Int64Or(key string, def int64) (int64, error) {
	if !p.Has(key) {
		return def, nil
	}
	return p.Int64(key)
}

// Float64 returns the value of key as a number (getFloat, getDouble). A
// missing key or a text that is no number is an error that names both.
func (p Params) Float64(key string) (float64, error) {
	v, err := p.need(key)
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil {
		return 0, p.bad(key, v, "a number")
	}
	return f, nil
}

// Float64Or is [Params.Float64] with a default for a missing key.
func (p Params) Float64Or(key string, def float64) (float64, error) {
	if !p.Has(key) {
		return def, nil
	}
	return p.Float64(key)
}

func (p Params) need(key string) (string, error) {
	v, ok := p[key]
	if !ok {
		return "", fmt.Errorf("attribute %q is required but was not provided: %w", key, errs.BadInput)
	}
	return v, nil
}

func (p Params) bad(key, v, want string) error {
	return fmt.Errorf("attribute %q: %q is not %s: %w", key, v, want, errs.BadInput)
}
