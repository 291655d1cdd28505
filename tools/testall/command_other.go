//go:build !unix

package main

import "os/exec"

// killWithChildren leaves cmd as it is: there are no process groups here.
func killWithChildren(*exec.Cmd) {}
