package expr

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

var s1, s2 = Col("s1"), Col("s2")

// samples covers every operation.
var samples = []struct {
	e    Expr
	text string
}{
	{Expr{}, ""},
	{s1, "s1"},
	{Col("root.ln.**.`a.b`"), "root.ln.**.`a.b`"},
	{Time(), "Time"},
	{Device(), "Device"},
	{Lit(3), "3"},
	{Lit(int8(-3)), "-3"},
	{Lit(uint32(7)), "7"},
	{Lit(3.0), "3.0"},
	{Lit(1e300), "1e+300"},
	{Lit(math.NaN()), "NaN"},
	{Lit(float32(0.1)), "0.1"},
	{Lit(true), "true"},
	{Lit("it's"), "'it''s'"},
	{Lit(nil), "NULL"},
	{Null(), "NULL"},
	{Lit(time.Unix(1, 5).UTC()), "1000000005"},
	{Lit(time.Second), "1000000000"},
	{s1.Add(s2).Mul(2), "(s1 + s2) * 2"},
	{s1.Add(s2.Mul(2)), "s1 + s2 * 2"},
	{s1.Sub(s2.Sub(1)), "s1 - s2 - 1"}, // as IoTDB prints it
	{s1.Div(s2).Mod(3), "s1 / s2 % 3"},
	{s1.Neg().Add(s2.Add(1).Neg()), "-s1 + -(s2 + 1)"},
	{s1.Gt(3).And(s2.Lt(4).Or(s1.Eq(1))), "s1 > 3 & (s2 < 4 | s1 = 1)"},
	{Not(s1.Ge(3)), "!(s1 >= 3)"},
	{s1.Ne(3).And(s2.Le(4)), "s1 != 3 & s2 <= 4"},
	{s1.In(1, "x", true), "s1 IN (1,'x',true)"},
	{s1.In(1).Negate(), "s1 NOT IN (1)"},
	{s1.Between(1, 2), "s1 BETWEEN 1 AND 2"},
	{s1.Between(1, 2).Negate().Negate(), "s1 BETWEEN 1 AND 2"},
	{s1.Like("a%"), "s1 LIKE '^a.*?$'"},
	{s1.Regexp("^a").Negate(), "s1 NOT REGEXP '^a'"},
	{s1.IsNull(), "s1 IS NULL"},
	{s1.IsNull().Negate(), "s1 IS NOT NULL"},
	{s1.NotNull(), "s1 IS NOT NULL"},
	{s1.Negate(), "!s1"},
	{Case(s1.Gt(1), "a", s2.Gt(1), "b", "c"), "CASE WHEN s1 > 1 THEN 'a' WHEN s2 > 1 THEN 'b' ELSE 'c' END"},
	{Case(s1.Gt(1), "a"), "CASE WHEN s1 > 1 THEN 'a' END"},
	{s1.Cast("int32"), "CAST(s1 AS INT32)"},
	{Avg(s1).As("x"), "avg(s1)"},
	{Call("multiplier", s2).With("a", "2").With("b", "5"), `multiplier(s2, "a"="2", "b"="5")`},
	{Call("f", s1, 1, s1.Add(1)), "f(s1, 1, s1 + 1)"},
	{Call("pi"), "pi()"},
	{Count(s1).Add(Sum(s1)).Add(Min(s1)).Add(Max(s1)).Add(First(s1)).Add(Last(s1)),
		"count(s1) + sum(s1) + min_value(s1) + max_value(s1) + first_value(s1) + last_value(s1)"},
	{And(), ""},
	{And(Expr{}, s1, Expr{}), "s1"},
	{Or(s1, s2, Col("s3")), "s1 | s2 | s3"},
}

func TestString(t *testing.T) {
	for _, c := range samples {
		if got := c.e.String(); got != c.text {
			t.Errorf("got %s, want %s", got, c.text)
		}
		if err := c.e.Err(); err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

func TestEncoding(t *testing.T) {
	for _, c := range samples {
		b := c.e.AppendBinary([]byte{99})
		back, rest, err := Decode(append(b[1:], 7))
		if err != nil || len(rest) != 1 {
			t.Errorf("%s: %v, %d bytes left", c.text, err, len(rest))
			continue
		}
		if !back.Equal(c.e) || back.String() != c.text || back.Alias() != c.e.Alias() {
			t.Errorf("%s comes back as %s", c.text, back)
		}
		for i := range b[1:] {
			if _, _, err := Decode(b[1 : 1+i]); err == nil && i > 0 {
				t.Errorf("%s cut after %d bytes decodes", c.text, i)
			}
		}
		for _, o := range samples {
			if same := c.e.Equal(o.e); same != (c.e.String() == o.text && fmt.Sprint(c.e.Const()) == fmt.Sprint(o.e.Const())) && c.text != "s1" {
				t.Errorf("%s equals %s: %v", c.text, o.text, same)
			}
		}
	}
}

func TestEqualSeesAll(t *testing.T) {
	for _, c := range [][2]Expr{
		{s1, s1.As("a")}, {Lit(3), Lit(3.0)}, {Lit(int32(3)), Lit(3)}, {Lit(float32(3)), Lit(3.0)}, {s1.In(1), s1.In(1).Negate()},
		{Call("f", s1), Call("F", s1)}, {Call("f", s1).With("a", "b"), Call("f", s1).With("b", "a")}, {s1.Sub(s2.Sub(1)), s1.Sub(s2).Sub(1)},
		{Lit(0.0), Lit(math.Copysign(0, -1))}, {Lit(""), Null()},
	} {
		if c[0].Equal(c[1]) {
			t.Errorf("%s equals %s", c[0], c[1])
		}
	}
}

// Building on a shared expression changes neither it nor its other users.
func TestImmutable(t *testing.T) {
	base := Call("f", s1).With("a", "1")
	x, y := base.With("b", "2"), base.With("c", "3")
	for e, want := range map[*Expr]string{&base: `f(s1, "a"="1")`, &x: `f(s1, "a"="1", "b"="2")`, &y: `f(s1, "a"="1", "c"="3")`} {
		if e.String() != want {
			t.Errorf("got %s, want %s", e, want)
		}
	}
	mapped := s1.Add(s2).Map(func(e Expr) (Expr, bool) { return Col("root.d." + e.Name()), e.Op() == OpColumn })
	if mapped.String() != "root.d.s1 + root.d.s2" || s1.String() != "s1" {
		t.Errorf("mapped %s, base %s", mapped, s1)
	}
	var names []string
	mapped.Walk(func(e Expr) { names = append(names, e.Name()) })
	if got := strings.Join(names, "|"); got != "|root.d.s1|root.d.s2" {
		t.Errorf("walked %s", got)
	}
}

func TestBadOperands(t *testing.T) {
	for _, c := range []struct {
		e    Expr
		text string
	}{
		{s1.Add([]int{1}), "[]int"},
		{s1.Gt(Expr{}), "empty"},
		{s1.Add(s2.In(1, struct{}{})), "struct {}"},
		{Lit(uint64(math.MaxUint64)), "18446744073709551615"},
		{Lit(time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)), "3000"},
		{s1.With("k", "v"), "no function call"},
	} {
		if err := c.e.Err(); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: error %v, want one with %q", c.e, err, c.text)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range samples {
		f.Add(c.e.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		e, rest, err := Decode(src)
		if err != nil {
			return
		}
		again, left, err := Decode(e.AppendBinary(nil))
		if err != nil || len(left) != 0 || !again.Equal(e) || len(rest) > len(src) {
			t.Fatalf("%s does not come back: %v", e, err)
		}
		_ = e.String()
		_ = e.Err()
		e.Walk(func(x Expr) { _ = x.precedence() })
	})
}
