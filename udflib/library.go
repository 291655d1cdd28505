package udflib

import (
	"context"
	"slices"

	"github.com/tickwell/tickwell"
)

// Group is one of the eight groups of the library.
type Group string

// The groups, in the order of the documents.
const (
	DataQuality      Group = "data quality"
	DataProfiling    Group = "data profiling"
	AnomalyDetection Group = "anomaly detection"
	FrequencyDomain  Group = "frequency domain"
	DataMatching     Group = "data matching"
	DataRepairing    Group = "data repairing"
	SeriesDiscovery  Group = "series discovery"
	MachineLearning  Group = "machine learning"
)

// Groups returns all groups in the order of the documents.
func Groups() []Group {
	return []Group{DataQuality, DataProfiling, AnomalyDetection, FrequencyDomain,
		DataMatching, DataRepairing, SeriesDiscovery, MachineLearning}
}

// Function describes a function of the library.
type Function struct {
	Name   string  // as queries call it
	Group  Group   // which of the groups of the documents it is in
	Does   string  // what it gives, in a few words
	Params []Param // named arguments
	// Inputs is how many series the function takes; 0: one or more.
	Inputs int
	// Nulls says what becomes of nulls and of values that are not finite.
	Nulls string
	// BuiltIn names the built-in function that answers for this one, which is
	// not registered then.
	BuiltIn string

	udtf func() tickwell.UDTF
	udaf func() tickwell.UDAF
}

// Param is a named argument of a function.
type Param struct {
	Name    string // such as "limit"
	Default string // "" if it must be given or has no effect when missing
	Means   string // what it does, in a few words
}

// Aggregate reports whether the function gives one value for a group of rows.
func (f *Function) Aggregate() bool { return f.udaf != nil || f.BuiltIn != "" }

// tables has the functions of each group.
var tables = map[Group]func() []Function{
	DataQuality:      qualityFunctions,
	DataProfiling:    profileFunctions,
	AnomalyDetection: anomalyFunctions,
	FrequencyDomain:  frequencyFunctions,
	DataMatching:     matchingFunctions,
	DataRepairing:    repairFunctions,
	SeriesDiscovery:  discoveryFunctions,
	MachineLearning:  learningFunctions,
}

// Functions describes the functions of groups, or of all groups if none is
// named, in the order of the documents.
func Functions(groups ...Group) []Function {
	var all []Function
	for _, g := range Groups() {
		if table := tables[g]; table != nil && (len(groups) == 0 || slices.Contains(groups, g)) {
			for _, f := range table() {
				f.Group = g
				if f.Nulls == "" {
					f.Nulls = leftOut
				}
				all = append(all, f)
			}
		}
	}
	return all
}

// leftOut is the usual rule for nulls.
const leftOut = "left out, as are NaN and infinities"

// Specs gives the functions of groups, or of all groups if none is named, for
// tickwell.Options.Functions.
func Specs(groups ...Group) []tickwell.FunctionSpec {
	var specs []tickwell.FunctionSpec
	for _, f := range Functions(groups...) {
		if f.BuiltIn == "" {
			specs = append(specs, tickwell.FunctionSpec{Name: f.Name, UDTF: f.udtf, UDAF: f.udaf})
		}
	}
	return specs
}

// Register makes the functions of groups, or of all groups if none is named,
// available to the queries of db. If one cannot be registered, none is.
func Register(ctx context.Context, db *tickwell.DB, groups ...Group) error {
	for i, spec := range Specs(groups...) {
		if err := db.RegisterFunction(ctx, spec); err != nil {
			for _, done := range Specs(groups...)[:i] {
				_ = db.DropFunction(context.WithoutCancel(ctx), done.Name)
			}
			return err
		}
	}
	return nil
}
