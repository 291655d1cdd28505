package tickwell

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/vfs"
)

// TestZeroDB calls every exported method of a DB that Open has not made: it says
// so, or knows nothing, and does not panic.
func TestZeroDB(t *testing.T) {
	given := map[reflect.Type]any{}
	give := func(vs ...any) {
		for _, v := range vs {
			given[reflect.TypeOf(v)] = v
		}
	}
	give("root.a.b", time.Unix(1, 0), time.Second, []Field{Float64("x", 1)}, []*Tablet{{Device: "root.a"}}, []ColumnInfo{{Name: "x", Kind: KindFloat64}},
		&Tablet{Device: "root.a", Times: []int64{1}, Columns: []Column{{Name: "x", Data: Float64s{1}}}},
		Query{From: []string{"root.a"}}, RowFunc1("f", func(x float64) float64 { return x }),
		TriggerSpec{Name: "t", Pattern: "root.**", Trigger: TriggerFunc(func(context.Context, *Firing) error { return nil })},
		CQSpec{Name: "q", Query: Query{From: []string{"root.a"}}}, SinkSpec{Name: "s", Sink: SinkFunc(func(context.Context, []Event) error { return nil })},
		func() Trigger { return nil }, func() UDTF { return nil }, func() UDAF { return nil }, Params{"a": "b"}, KindInt64)
	value := func(p reflect.Type) reflect.Value {
		if v, ok := given[p]; ok {
			return reflect.ValueOf(v)
		}
		if p == reflect.TypeFor[context.Context]() {
			return reflect.ValueOf(t.Context())
		}
		if p == reflect.TypeFor[vfs.FS]() {
			return reflect.ValueOf(vfs.NewMem())
		}
		return reflect.Zero(p)
	}
	kind := reflect.TypeFor[*DB]()
	require.Greater(t, kind.NumMethod(), 50)
	for i := range kind.NumMethod() {
		m := kind.Method(i)
		t.Run(m.Name, func(t *testing.T) {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("panics: %v", p)
				}
			}()
			args := []reflect.Value{reflect.ValueOf(&DB{})}
			for i := 1; i < m.Type.NumIn(); i++ {
				args = append(args, value(m.Type.In(i)))
			}
			call := m.Func.Call
			if m.Type.IsVariadic() {
				call = m.Func.CallSlice
			}
			for _, r := range call(args) {
				checkZero(t, r)
			}
		})
	}
	_, err := SeriesOf[float64](&DB{}, "root.a.b")
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorContains(t, err, "not made by Open")
}

// checkZero takes what a method of a zero DB returned: an error that says what is
// wrong, a sequence that gives such an error or nothing, or a zero value.
func checkZero(t *testing.T, r reflect.Value) {
	t.Helper()
	fails := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, ErrClosed)
		require.ErrorContains(t, err, "not made by Open")
	}
	switch r.Kind() {
	case reflect.Interface:
		err, _ := reflect.TypeAssert[error](r)
		fails(err)
	case reflect.Func:
		if r.IsNil() {
			return
		}
		if r.Type().NumIn() == 1 && r.Type().In(0).NumIn() == 2 && r.Type().In(0).In(1) == reflect.TypeFor[error]() {
			n := 0
			for _, err := range r.Seq2() {
				n++
				fails(err.Interface().(error))
			}
			require.Equal(t, 1, n)
			return
		}
		if r.Type().In(0).NumIn() == 2 {
			for k, v := range r.Seq2() {
				t.Errorf("yields %v, %v", k, v)
			}
			return
		}
		for v := range r.Seq() {
			if _, builtIn := reflect.TypeAssert[FunctionInfo](v); !builtIn {
				t.Errorf("yields %v", v)
			}
		}
	default:
		require.True(t, r.IsZero(), "%v", r)
	}
}
