package errs

// At is an error about what stands at a byte of a text, from 0.
type At struct {
	Pos int
	Err error
}

// Error returns the text, which says nothing of the position.
func (e *At) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *At) Unwrap() error { return e.Err }
