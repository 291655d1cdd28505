//go:build tickwell_small

package exec

import "maps"

const small = true

// LinkRare gives tests the functions that programs do without.
func LinkRare() {
	maps.Copy(builtinAggs, rareAggs())
	maps.Copy(scalars, rareScalars())
	maps.Copy(scalars, textScalars())
	maps.Copy(tables, rareTables())
	maps.Copy(tables, bucketSamples())
}
