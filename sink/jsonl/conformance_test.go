package jsonl

import (
	"errors"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(*testing.T) tickwelltest.SinkTarget {
		fs := crashfs.New()
		return tickwelltest.SinkTarget{
			New: func(*testing.T) tickwell.Sink { return &Sink{FS: fs, Path: "out/e.jsonl", MaxBytes: 500} },
			Received: func(t *testing.T) (list []string) {
				all := contents(t, fs, "out")
				if len(all) > 0 && strings.HasPrefix(all[len(all)-1], "e-") {
					t.Error("the present file is not there")
				}
				for _, file := range all {
					_, line, _ := strings.Cut(file, ":")
					list = append(list, strings.Fields(line)...)
				}
				return list
			},
			Down: func(*testing.T) { fs.Fail(1, errors.New("disk trouble"), true, nil) },
			Up:   func(*testing.T) { fs.Heal() },
		}
	})
}
