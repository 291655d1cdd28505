package udflib

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
)

// The statements that the documents' registration script runs, here from one
// file, register all functions of the library; then they are listed with their
// class, and SQL can call them.
func TestRegistrationScript(t *testing.T) {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{Logger: slog.New(slog.DiscardHandler), Seed: 1, FunctionClasses: Classes()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := iotsql.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/register.sql")
	if err != nil {
		t.Fatal(err)
	}
	n := sec(faulty).insert(t, db)
	if _, err := invoke(t, db, n, "zscore"); err == nil {
		t.Error("zscore is known before the script ran")
	}
	for piece := range iotsql.Split(string(script)) {
		if _, err := conn.Exec(ctx, piece.Text); err != nil {
			t.Errorf("line %d: %v", piece.Line, err)
		}
	}
	listed := map[string]string{}
	for f := range db.Functions() {
		listed[strings.ToLower(f.Name)] = f.Class
	}
	for _, f := range Functions() {
		if f.BuiltIn != "" {
			continue
		}
		if want := classPrefix + classes[f.Name]; classes[f.Name] == "" || listed[f.Name] != want {
			t.Errorf("%s is listed with class %q, want %q", f.Name, listed[f.Name], want)
		}
	}
	res, err := conn.Exec(ctx, `SELECT spread(s1), cov(s1, s1) FROM root.d WHERE time <= 30000`)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := res.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "26.0,") {
		t.Errorf("SQL gives %s, want a spread of 26", b.String())
	}
}
