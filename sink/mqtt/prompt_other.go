//go:build !linux

package mqtt

import "net"

// newPrompt is for Linux only.
func newPrompt(conn net.Conn) net.Conn { return conn }
