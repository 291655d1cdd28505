package iotsql_test

import (
	"context"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
)

// A minus before the least integers is no integer of their kind.
func TestMinusOfLeastIntegers(t *testing.T) {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := iotsql.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "insert into root.d(time, a) values (1, 0)"); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"select a + -(-2147483648) from root.d":          "2.147483648e+09",
		"select a + -(-9223372036854775808) from root.d": "9.223372036854776e+18",
		"select a + -(5) from root.d":                    "-5",
		"select a - -(-9223372036854775807) from root.d": "-9.223372036854776e+18",
	} {
		res, err := conn.Exec(ctx, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for row, err := range res.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			if got := row[1].String(); got != want {
				t.Errorf("%s: %s, want %s", text, got, want)
			}
		}
	}
}
