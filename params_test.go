package tickwell

import (
	"errors"
	"testing"
)

func TestParams(t *testing.T) {
	p := Params{"n": " 42 ", "f": "1e3", "b": "TRUE", "no": "yes", "s": "", "bad": "x1"}
	if n, err := p.Int64("n"); n != 42 || err != nil {
		t.Errorf("Int64(n) is %d, %v, want 42", n, err)
	}
	if f, err := p.Float64("f"); f != 1000 || err != nil {
		t.Errorf("Float64(f) is %v, %v, want 1000", f, err)
	}
	if b, err := p.Bool("b"); !b || err != nil {
		t.Errorf("Bool(b) is %v, %v, want true", b, err)
	}
	if b, err := p.Bool("no"); b || err != nil {
		t.Errorf("Bool(no) is %v, %v: every text but true is false", b, err)
	}
	if n, err := p.Int64Or("missing", 7); n != 7 || err != nil {
		t.Errorf("Int64Or(missing) is %d, %v, want 7", n, err)
	}
	if f, err := p.Float64Or("missing", 7.5); f != 7.5 || err != nil {
		t.Errorf("Float64Or(missing) is %v, %v, want 7.5", f, err)
	}
	if p.TextOr("s", "d") != "" || p.TextOr("missing", "d") != "d" || p.Text("missing") != "" || !p.BoolOr("missing", true) {
		t.Error("defaults: an empty text is given, a missing one is not")
	}
	for _, err := range []error{errOf(p.Int64("bad")), errOf(p.Float64("bad")), errOf(p.Int64("missing")), errOf(p.Bool("missing")), errOf(p.Int64Or("bad", 1))} {
		if !errors.Is(err, ErrBadInput) {
			t.Errorf("got error %v, want ErrBadInput", err)
		}
	}
	var none Params
	if none.Has("x") || none.Text("x") != "" {
		t.Error("nil Params hold something")
	}
}

func errOf[T any](_ T, err error) error { return err }
