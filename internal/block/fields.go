package block

// Fields tells what of statistics is looked at beside Count and Flags.
type Fields uint8

const (
	FieldTimes Fields = 1 << iota // MinTime and MaxTime
	FieldRange                    // Min and Max
	FieldSum                      // SumF of floats, SumI of integers
	FieldEdges                    // First and Last
)
