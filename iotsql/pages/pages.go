// Package pages holds the example classes that the documents print, under the
// names they print, so that their statements run as they stand there:
//
//	db, err := tickwell.Open(ctx, "", &tickwell.Options{
//		Classes:         pages.Triggers(),
//		FunctionClasses: pages.Functions(),
//	})
//
// They are meant for trying statements out and for tests.
package pages

import "github.com/tickwell/tickwell"

// Triggers are the trigger classes by name.
func Triggers() map[string]func() tickwell.Trigger {
	listener := func() tickwell.Trigger { return new(alertListener) }
	return map[string]func() tickwell.Trigger{
		"org.apache.iotdb.trigger.TriggerExample":                  func() tickwell.Trigger { return new(windowAverage) },
		"org.apache.iotdb.trigger.ClusterAlertingExample":          func() tickwell.Trigger { return new(clusterAlerting) },
		"org.apache.iotdb.db.engine.trigger.example.AlertListener": listener,
		"org.apache.iotdb.trigger.example.AlertListener":           listener,
	}
}

// Functions are the function classes by name: UDTFExample, the sum of its
// inputs, and Adder, Counter and Max.
func Functions() map[string]tickwell.FunctionSpec {
	all := map[string]tickwell.FunctionSpec{}
	for name, f := range map[string]func() tickwell.UDTF{
		"UDTFExample": func() tickwell.UDTF { return new(sum) },
		"Adder":       func() tickwell.UDTF { return new(adder) },
		"Counter":     func() tickwell.UDTF { return new(counter) },
		"Max":         func() tickwell.UDTF { return new(largest) },
	} {
		spec := tickwell.FunctionSpec{UDTF: f}
		all["org.apache.iotdb.udf."+name] = spec
		if name != "UDTFExample" {
			all[name] = spec // printed without a package
		}
	}
	return all
}
