package webhook

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink/internal/post"
	"github.com/tickwell/tickwell/sink/internal/standin"
)

// TestPage holds the table of answers in docs/sinks.md to what they do to an
// event, one request each.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/sinks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| answer | class |")
	table, _, _ = strings.Cut(table, "\n\n")
	n := 0
	for _, m := range regexp.MustCompile(`(?m)^\| ([0-9, ]+) \| (.+) \|$`).FindAllStringSubmatch(table, -1) {
		for text := range strings.SplitSeq(m[1], ", ") {
			status, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			srv := server(t)
			srv.Always(standin.Answer(status, ""))
			class, _ := deliver.Classify(open(t, &Sink{URL: srv.URL, Array: true}).Handle(attempt(t), []tickwell.Event{row("1")}))
			if want := m[2]; class.String() != want && !(class == deliver.Delivered && want == "delivered") {
				t.Errorf("%d is %v, docs/sinks.md says %s", status, class, want)
			}
			n++
		}
	}
	if n < 25 {
		t.Errorf("%d answers in the table of docs/sinks.md", n)
	}
	words := strings.Join(strings.Fields(string(page)), " ")
	for _, want := range []string{fmt.Sprintf("read up to %d KiB", post.MaxAnswer>>10), "honoured up to an hour", "TLS** is 1.2 or newer"} {
		if !strings.Contains(words, want) {
			t.Errorf("docs/sinks.md does not say %q", want)
		}
	}
	if post.MaxRetryAfter.Hours() != 1 {
		t.Errorf("Retry-After is honoured up to %v, docs/sinks.md says an hour", post.MaxRetryAfter)
	}
}
