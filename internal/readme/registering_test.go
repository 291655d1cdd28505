package readme

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRegistering holds docs/triggers-and-functions.md to the items of the
// pages that ask for words rather than for code.
func TestRegistering(t *testing.T) {
	text := strings.Join(strings.Fields(read(t, "docs/triggers-and-functions.md").text), " ")
	for _, c := range []struct {
		item string
		says []string
	}{
		{"T1-071", []string{"Write a Go type", "add a factory under a class name", "Pass it as a value", "CREATE STATELESS TRIGGER"}},
		{"T0-035", []string{"A trigger of the 0.13 page is one with `TriggerSpec.Series`"}},
		{"T1-111", []string{"A panic in one is contained", "memory is not"}},
		{"T1-112", []string{"save what has changed rather than all of it"}},
		{"T1-115", []string{"`stateful_trigger_retry_num_when_not_found`", "the instance is always in this process", "listed INACTIVE with the reason"}},
		{"UDF-077", []string{"Write a type with the methods", "add a factory under a class name to `Options.FunctionClasses`", "CREATE FUNCTION name AS"}},
		{"UDF-080", []string{"A class that is not there fails the statement; nothing is downloaded"}},
		{"UDF-114", []string{"share one budget, `Options.QueryMemory`, instead of three shares"}},
	} {
		t.Run(c.item, func(t *testing.T) {
			for _, s := range c.says {
				require.Contains(t, text, s)
			}
		})
	}
}
