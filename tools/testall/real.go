package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// realFolder holds the tests against real servers, one folder a kind of server.
// Each is a part of its own, so that the table shows what was there and in which
// version, and what was not.
const realFolder = "integration/real"

// realParts are the tests against real servers.
func realParts(r *repo) []part {
	var parts []part
	for _, m := range r.modules[1:] {
		if m.rel != strings.Split(realFolder, "/")[0] {
			continue
		}
		files, _ := filepath.Glob(filepath.Join(r.root, filepath.FromSlash(realFolder), "*", "*_test.go"))
		seen := map[string]bool{}
		for _, file := range files {
			name := filepath.Base(filepath.Dir(file))
			if seen[name] {
				continue
			}
			seen[name] = true
			parts = append(parts, part{"real " + name, 5 * time.Minute, func(ctx context.Context) outcome {
				return r.goTests(ctx, goTest{
					module: m, args: []string{"-vet=off", "-count=1"},
					packages: []string{"./" + strings.TrimPrefix(realFolder, m.rel+"/") + "/" + name}, record: true,
				})
			}})
		}
	}
	return parts
}

// nested lists the packages of a nested module without those of realParts.
func (r *repo) nested(ctx context.Context, m module) ([]string, error) {
	out, err := output(ctx, m.dir, nil, "go", "list", "./...")
	if err != nil {
		return nil, fmt.Errorf("go list: %s", out)
	}
	var list []string
	for p := range strings.FieldsSeq(out) {
		if !strings.HasPrefix(p, r.modules[0].path+"/"+realFolder+"/") {
			list = append(list, p)
		}
	}
	return list, nil
}
