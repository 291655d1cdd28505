package errs

import (
	"errors"
	"fmt"
	"slices"
)

// Badf is fmt.Errorf with [BadInput] as the cause. Like the other functions here
// it is not inlined: refusals are many and cold.
//
//go:noinline
func Badf(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(slices.Clip(args), BadInput)...) // args may be the caller's
}

// Join is errors.Join, which would be copied to where it is called.
//
//go:noinline
func Join(all ...error) error { return errors.Join(all...) }
