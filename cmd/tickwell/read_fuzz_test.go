package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// FuzzReaders holds that no file makes a reader panic or hang, that offsets only
// grow up to the size of the file, and that a reader that begins at an offset
// reads what is behind it.
func FuzzReaders(f *testing.F) {
	for _, s := range []string{
		"Time,root.a.x(INT32),root.b.y\n1,2,3\n2,,\"q\"\"\n\"\n", "time,Device,x\n1,root.a,2\nx,root..,3\n", "timestamp,value\n2014-04-01 00:00:00,20.5\n",
		`{"time":1,"device":"root.a","fields":{"x":1,"y":"s","z":true,"n":null},"kinds":{"x":"INT64"}}`, "{\"time\":\"2024-01-01\",\"fields\":{\"x\":\"NaN\"},\"kinds\":{\"x\":\"FLOAT\"}}\n[]\n",
		"cpu,host=a\\ b,dc=x load=0.5,n=3i,u=7u,t=t,s=\"q\\\"\n\" 17\n\n# c\nm v=1\n", "root.a x=1 1\nm, v=1\nm,t= v=\nm v=\"\n",
	} {
		for format := range byte(3) {
			f.Add(format, s)
		}
	}
	f.Fuzz(func(t *testing.T, format byte, text string) {
		open := func(from int64) (reader, error) {
			in := strings.NewReader(text)
			clock := &timeReader{zone: time.UTC, unit: 1e6}
			if format%3 == 0 {
				return openCSV(in, func(at int64) error { _, err := in.Seek(at, io.SeekStart); return err }, from, 0, "root.f", clock)
			}
			in.Seek(from, io.SeekStart)
			parse := parseJSON("root.f", clock)
			if format%3 == 2 {
				parse = parseLineProtocol("root.p", 5, 1)
			}
			return newLineReader(in, from, 0, parse), nil
		}
		r, err := open(0)
		if err != nil {
			return
		}
		c := &call{Context: context.Background()}
		db, err := tickwell.Open(c, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		k := newKinds(c, db)
		var rec record
		var b batch
		at, half := r.offset(), int64(-1)
		for range len(text) + 2 {
			err := r.next(&rec)
			if errors.Is(err, io.EOF) {
				break
			}
			if now := r.offset(); now < at || now > int64(len(text)) {
				t.Fatalf("offset %d after %d of %d", now, at, len(text))
			} else if at = now; half < 0 && atRowEnd(r) {
				half = now
			}
			if err == nil && len(rec.fields) > 0 && k.fit(&rec) == nil {
				b.add(&rec)
			}
		}
		if b.rows > 0 {
			for _, tb := range b.tablets {
				if err := tb.Validate(); err != nil && !errors.Is(err, tickwell.ErrBadInput) {
					t.Fatal(err)
				}
			}
			db.InsertTablets(c, b.tablets...) // times may be out of range
		}
		if half > 0 {
			if again, err := open(half); err == nil {
				for range len(text) + 2 {
					if errors.Is(again.next(&rec), io.EOF) {
						break
					}
				}
				if again.offset() > int64(len(text)) {
					t.Fatalf("offset %d of %d", again.offset(), len(text))
				}
			}
		}
	})
}

// FuzzScript holds that the shell takes any text apart without loss of time, and
// never runs more statements than there are semicolons and line ends.
func FuzzScript(f *testing.F) {
	for _, s := range []string{"a; b;\n\\wait\n", "'a;\nb;\nc;", "/* ;\n;\n*/;", "`;\n`;\n;\n", "\\\n;;\n--;\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		st := &statements{text: text}
		line := 0
		for n := 0; ; n++ {
			p, err := st.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if n > len(text) || err != nil || p.text == "" {
				t.Fatalf("piece %d %q: %v", n, p.text, err)
			}
			if p.line < line || p.line > 1+strings.Count(text, "\n") {
				t.Fatalf("piece %d begins at line %d after %d", n, p.line, line)
			}
			line = p.line
		}
	})
}
