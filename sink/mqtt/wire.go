package mqtt

import (
	"bufio"
	"net"
	"sync"
)

// wire is a connection to a broker that spares system calls: the clients read
// packets in small pieces, and that of protocol 5 writes them so.
type wire struct {
	net.Conn
	in *bufio.Reader

	mu     sync.Mutex
	packet []byte // gathered between Lock and Unlock
	whole  bool   // not between Lock and Unlock
}

func newWire(conn net.Conn) *wire {
	return &wire{Conn: conn, in: bufio.NewReader(conn), whole: true}
}

// Read reads what there is.
func (w *wire) Read(p []byte) (int, error) { return w.in.Read(p) }

// Lock begins a packet: the client of protocol 5 looks for this method and calls
// it around the pieces of one.
func (w *wire) Lock() {
	w.mu.Lock()
	w.whole = false
}

// Write writes, or gathers a piece of a packet.
func (w *wire) Write(p []byte) (int, error) {
	if w.whole {
		return w.Conn.Write(p)
	}
	w.packet = append(w.packet, p...)
	return len(p), nil
}

// maxKept is how much memory a wire keeps for packets to come.
const maxKept = 64 << 10

// Unlock writes the packet. If that fails the connection is closed, which is how
// the client learns of it.
func (w *wire) Unlock() {
	if _, err := w.Conn.Write(w.packet); err != nil {
		w.Conn.Close()
	}
	w.packet, w.whole = w.packet[:0], true
	if cap(w.packet) > maxKept {
		w.packet = nil
	}
	w.mu.Unlock()
}
