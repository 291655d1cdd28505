// Package bench is the peer-independent half of the harness: the workload, the
// phases and the measurements. A peer is a program that imports this package,
// implements Store and calls Main; cmd/peers runs those programs and prints the
// tables.
package harness

// Point is one sample. TS is in Unix milliseconds.
type Point struct {
	Series uint32
	TS     int64
	V      float64
}

// Meta describes one series. The index in the slice is the series number used
// in Point.
type Meta struct {
	Name        string // Device + "." + Measurement, precomputed
	Device      string
	Measurement string
	DeviceNo    int
	MeasureNo   int
	IsInt       bool // an int64 counter; V always holds an integral value
}

// Config is what a peer gets to open a store.
type Config struct {
	Dir     string // empty directory, or the one of an earlier run
	Variant string // peer-specific, "" is the default
	Series  []Meta
	From    int64 // lower bound of all timestamps that will be written
	To      int64 // upper bound
}

// Store is what every peer implements. Writes may come from two goroutines.
type Store interface {
	// WriteBatch returns once the batch has the durability the peer promises.
	WriteBatch(pts []Point) error
	// Flush makes everything written visible to Scan and hands it to the disk
	// format the peer reads from, as far as the peer offers that.
	Flush() error
	// Scan calls fn for the points of one series in [from, to], in time order.
	Scan(series uint32, from, to int64, fn func(ts int64, v float64)) error
	Close() error
}

// RowWriter is for peers that write the row of a device in one call. v holds a
// value for each measurement.
type RowWriter interface {
	WriteRow(device int, ts int64, v []float64) error
}

// OneWriter is for peers with a cheaper call for single points.
type OneWriter interface{ WriteOne(p Point) error }

// Agg is the result of an aggregate over one series.
type Agg struct {
	N        int64
	Sum, Max float64
}

// Aggregator is for peers that aggregate natively.
type Aggregator interface {
	Aggregate(series uint32, from, to int64) (Agg, error)
}

// Downsampler is for peers that group by time natively. Buckets are aligned to
// multiples of step and averaged.
type Downsampler interface {
	Downsample(series []uint32, from, to, step int64, emit func(series uint32, bucket int64, avg float64)) error
}

// Laster is for peers that have a native last-value query.
type Laster interface {
	Last(emit func(series uint32, ts int64, v float64)) error
}

// Sealer is for peers whose folder holds more than the points, such as a log
// that is used again: SealedBytes is the length of the files that hold them.
type Sealer interface{ SealedBytes() int64 }

// Class says what an acknowledged write survives. Ratios are only formed within
// a class.
type Class string

// The classes, from the weakest.
const (
	Memory   Class = "memory"   // nothing: the store is in memory
	Buffered Class = "buffered" // a clean close; a killed process may lose some
	Process  Class = "process"  // the process being killed
	Synced   Class = "synced"   // a power cut
)

// Peer describes one peer program. Maps are by variant, "" is the default.
type Peer struct {
	Name       string
	Module     string // module path, for the version in the report
	Class      map[string]Class
	Durability map[string]string // in words, with the settings
	InMemory   func(variant string) bool
	Open       func(Config) (Store, error)
}
