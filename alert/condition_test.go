package alert_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
)

// TestConditionNumbers: limits in the wrong order are refused, for such an alert
// would come and go with every value.
func TestConditionNumbers(t *testing.T) {
	db, err := tickwell.Open(context.Background(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	nan := math.NaN()
	for _, c := range []struct {
		cond alert.Condition
		want string
	}{
		{alert.Above(90, 80), ""},
		{alert.Above(90, 90), ""},
		{alert.Above(80, 90), "Above(80, 90): clear must not be above limit"},
		{alert.Above(nan, 90), "Above(NaN, 90)"},
		{alert.Below(10, 20), ""},
		{alert.Below(20, 10), "Below(20, 10): clear must not be below limit"},
		{alert.Outside(0, 10, 1), ""},
		{alert.Outside(0, 10, 5), ""},
		{alert.Outside(0, 10, 6), "Outside(0, 10, 6): nothing would clear"},
		{alert.Outside(0, 10, -1), "Outside(0, 10, -1)"},
		{alert.Outside(10, 0, 0), "Outside(10, 0, 0)"},
	} {
		err := db.CreateTrigger(context.Background(), alert.Rule{Name: "r", Condition: c.cond}.Spec("root.**"))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("refused: %v", err)
		case c.want != "" && (!errors.Is(err, tickwell.ErrBadInput) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("got %v, want %s", err, c.want)
		}
		if err == nil {
			if err := db.DropTrigger(context.Background(), "r"); err != nil {
				t.Fatal(err)
			}
		}
	}
}
