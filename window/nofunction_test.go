package window_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tickwell/tickwell/window"
)

// TestNoFunction holds that a handler without a function is refused when it is
// made, rather than at its first window.
func TestNoFunction(t *testing.T) {
	minutes := window.Tumbling(time.Minute)
	_, push := window.New[float64](minutes, nil, nil)
	_, size := window.NewSlidingSize[float64](2, 1, nil, nil)
	_, span := window.NewSlidingTime[float64](time.Second, time.Second, nil, nil)
	_, keyed := window.Keyed[string, float64](minutes, nil, nil, window.KeyOptions{})
	_, reduced := window.Reduce(minutes, window.Sum[float64]{}, nil, nil)
	_, both := window.ReduceKeyed[string](minutes, window.Sum[float64]{}, nil, nil, window.KeyOptions{})
	for name, err := range map[string]error{"New": push, "NewSlidingSize": size, "NewSlidingTime": span, "Keyed": keyed, "Reduce": reduced, "ReduceKeyed": both} {
		var p *window.ParamError
		if !errors.As(err, &p) || p.Param != "eval" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
