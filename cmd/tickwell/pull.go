package main

import "errors"

func (o *exportOptions) pull(c *call, dir string) error { return errors.ErrUnsupported }
