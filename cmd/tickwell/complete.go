package main

import (
	"slices"
	"strings"

	"github.com/tickwell/tickwell/internal/pattern"
)

// keywords are the words of statements that Tab completes.
var keywords = strings.Fields(`
	ADD AFTER ALIGN ALIGNED AND AS ASC ATTRIBUTES AVG BEFORE BEGIN BETWEEN BLOCKED BOOLEAN BOUNDARY BY CASE CAST
	CHILD COMPRESSOR CONDITION CONTINUOUS CONTAIN COUNT CQ CQS CREATE DATABASE DATABASES DATATYPE DELETE DESC DEVICE
	DEVICES DISABLE DISCARD DOUBLE DROP ELSE ENCODING END EVERY EXPLAIN FILL FIRST_VALUE FLOAT FROM FUNCTION FUNCTIONS
	GROUP HAVING INSERT INT32 INT64 INTO IS LAST LAST_VALUE LEVEL LEVELS LIKE LIMIT LINEAR MAX_TIME MAX_VALUE MIN_TIME
	MIN_VALUE NODES NOT NOW NULL NULLS OFFSET ON OR ORDER PATHS POLICY PREVIOUS QUERIES QUERY RANGE REGEXP RESAMPLE
	SELECT SESSION SET SHOW SLIMIT SOFFSET START STATEFUL STATELESS STOP STORAGE SUM TEXT THEN TIME TIMEOUT
	TIMESERIES TIMESTAMP TO TRIGGER TRIGGERS TTL UNSET URI USING VALUES VARIATION WHEN WHERE WITH`)

var metaWords = []string{`\advance `, `\clock `, `\help`, `\quit`, `\reopen`, `\wait`}

// complete lists how the word that ends at pos may go on, and where it begins.
func (s *session) complete(line string, pos int) (from int, words []string) {
	if strings.HasPrefix(line, `\`) {
		for _, w := range metaWords {
			if strings.HasPrefix(w, line) {
				words = append(words, w)
			}
		}
		return 0, words
	}
	from = strings.LastIndexAny(line[:pos], " \t(,=<>+-*/;") + 1
	word := line[from:pos]
	if word == "" {
		return from, nil
	}
	if strings.HasPrefix(word, "root.") || word == "root" {
		return from, s.paths(word)
	}
	if strings.HasPrefix("root.", word) { //nolint:gocritic // the word is what was typed of it
		words = append(words, "root.")
	}
	upper := strings.ToUpper(word)
	for _, k := range keywords {
		if strings.HasPrefix(k, upper) {
			words = append(words, cased(k, word)+" ")
		}
	}
	for f := range s.db.Functions() {
		if w := f.Name + "("; strings.HasPrefix(strings.ToUpper(w), upper) {
			words = append(words, cased(strings.ToLower(w), word))
		}
	}
	words = append(words, s.measurements(word)...)
	slices.Sort(words)
	return from, slices.Compact(words)
}

// cased gives a keyword the case of what was typed.
func cased(k, typed string) string {
	if strings.ToLower(typed) == typed {
		return strings.ToLower(k)
	}
	return strings.ToUpper(k)
}

// paths lists the next nodes of paths that begin with word.
func (s *session) paths(word string) []string {
	cut := strings.LastIndexByte(word, '.')
	if cut < 0 {
		return []string{"root."}
	}
	prefix, part := word[:cut], word[cut+1:]
	series, err := listSeries(s.c, s.db, prefix+".**")
	if err != nil {
		return nil
	}
	depth := len(pattern.Nodes(prefix))
	var out []string
	for _, one := range series {
		nodes := pattern.Nodes(one.Path())
		if len(nodes) <= depth || !strings.HasPrefix(nodes[depth], part) {
			continue
		}
		next := prefix + "." + nodes[depth]
		if len(nodes) > depth+1 && (next != one.Device || next == word) {
			next += "." // of a device only when asked again
		}
		out = append(out, next)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// measurements lists the names of measurements that begin with part.
func (s *session) measurements(part string) (out []string) {
	series, err := listSeries(s.c, s.db, everything)
	if err != nil {
		return nil
	}
	for _, one := range series {
		if strings.HasPrefix(one.Name, part) {
			out = append(out, one.Name)
		}
	}
	return out
}
