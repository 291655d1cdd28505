package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// mostAgain is how many failed packages are run a second time: more than that
// is no accident.
const mostAgain = 3

// runAgain runs the tests of g that failed once more, and puts what came then
// in place of the first run in t. What failed first is printed whole and stands
// in the table: a test that needs a second run is a fault to mend, but none that
// should hide what every other part has to say. A fault that stays fails the
// second run too. It returns the error of the second run, or first if there was
// none.
func (r *repo) runAgain(ctx context.Context, t *tests, g goTest, first error) error {
	list := t.bad()
	if len(list) == 0 || len(list) > mostAgain || ctx.Err() != nil {
		return first
	}
	for _, p := range t.packages {
		if p.bad && len(p.failedTests) == 0 {
			return first // it did not build, or something outside of a test ended it
		}
	}
	var names, tests []string
	whole := false
	for _, p := range t.packages {
		if p.bad {
			names = append(names, p.path+" "+strings.Join(p.failedTests, " "))
			tests = append(tests, p.failedTests...)
			said := p.failures.String()
			whole = whole || strings.Contains(said, "panic: ") || strings.Contains(said, "fatal error: ")
		}
	}
	fmt.Fprintf(r.out, "%s\n=== again, since these failed: %s\n", strings.TrimRight(tail(t.failures(), 64<<10), "\n"), strings.Join(names, ", "))
	g.packages = list
	if !whole { // else tests behind the one that ended the process have not run
		g.args = append(slices.Clone(g.args), "-run=^("+strings.Join(tests, "|")+")$")
	}
	u := newTests()
	err := r.goTest(ctx, u, g)
	if err == nil {
		u.again = names
		t.complaints.Reset()
		clear(t.running)
	}
	t.replace(u)
	return err
}
