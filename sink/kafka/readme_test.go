package kafka

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestSettingsAreDocumented holds that the README's table has each field of Sink
// and NewTopic with type and default.
func TestSettingsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.TrimSpace(cells[2]) == "" {
			continue
		}
		for name := range strings.SplitSeq(cells[1], ",") {
			rows[strings.Trim(strings.TrimSpace(name), "`")] = true
		}
	}
	check := func(prefix string, of reflect.Type) {
		for f := range of.Fields() {
			if f.IsExported() && !rows[prefix+f.Name] {
				t.Errorf("README.md has no row for %s%s", prefix, f.Name)
			}
		}
	}
	check("", reflect.TypeFor[Sink]())
	check("Create.", reflect.TypeFor[NewTopic]())
	if !strings.Contains(string(text), "**Confluent Cloud**") {
		t.Error("README.md does not say what Confluent Cloud needs")
	}
}
