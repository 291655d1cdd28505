package mqtt

import (
	"net"
	"syscall"
)

// prompt is a connection whose reads are acknowledged to the other side at once.
// A broker writes its answers to a batch in small pieces, and many wait, as TCP
// does by default, for an acknowledgement before they send the last ones. Linux
// would hold that back for 40 ms when there is nothing to send: after each batch.
type prompt struct {
	net.Conn
	raw syscall.RawConn
}

func newPrompt(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	return &prompt{conn, raw}
}

// Read reads, and asks anew for prompt acknowledgements: the system forgets.
func (p *prompt) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	// Where it does not work, things are slower and that is all.
	_ = p.raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
	return n, err
}
