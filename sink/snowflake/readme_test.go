package snowflake

import (
	"os"
	"strings"
	"testing"
)

// TestReadme holds what the README must tell of the ways to Snowflake, by the
// items of the Timeplus page.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Join(strings.Fields(string(text)), " ")
	for _, c := range []struct {
		item string
		says []string
	}{
		{"TP-033", []string{"Way 1, step by step", "the Snowflake sink connector: topics `snowflake`, input format JSON"}},
		{"TP-034", []string{"| way | latency |", "seconds; the lowest"}},
		{"TP-038", []string{`tickwell ── sink/kafka ──▶ Kafka topic "snowflake" ── Kafka Connect, Snowflake sink ──▶ table snowflake ──▶ view downsampled`}},
		{"TP-039", []string{"Never run against Snowflake itself", "Nothing of it has met the real > service"}},
		{"TP-047", []string{"create view downsampled as select RECORD_CONTENT:time::timestamp_tz as time", "RECORD_CONTENT:total_km as total_km from snowflake"}},
		{"TP-050", []string{"Airbyte", "there is no connector of ours, and none is promised"}},
	} {
		t.Run(c.item, func(t *testing.T) {
			for _, s := range c.says {
				if !strings.Contains(page, s) {
					t.Errorf("README.md does not say %q", s)
				}
			}
		})
	}
}
