package server

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// given are the ports that FreePort has handed out in this process, each with
// what tells other processes that it is taken.
var given struct {
	sync.Mutex
	taken map[int]net.PacketConn
	next  *rand.Rand
}

// FreePort returns a port of 127.0.0.1 that nobody listens to, another one each
// time. It is none of those that the system gives to outgoing connections: a
// client that tries again and again while the server is down could be given the
// server's own port, and even be connected to itself. Other processes that ask
// get other ports as long as this one lives: its UDP twin is held.
func FreePort() (int, error) {
	given.Lock()
	defer given.Unlock()
	if given.taken == nil {
		given.taken = make(map[int]net.PacketConn)
		given.next = rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(time.Now().UnixNano())))
	}
	from, to := listenRange()
	var last error
	for range 1000 {
		port := from + given.next.IntN(to-from)
		if given.taken[port] != nil {
			continue
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		hold, err := net.ListenPacket("udp", addr)
		if err != nil {
			last = err
			continue
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			hold.Close()
			last = err
			continue
		}
		l.Close()
		given.taken[port] = hold
		return port, nil
	}
	return 0, fmt.Errorf("free port from %d to %d: %w", from, to, last)
}

// listenRange returns the ports, the second exclusive, that are neither reserved
// nor given to outgoing connections: on Linux those are below the range that the
// system names, elsewhere below that of the standards.
func listenRange() (from, to int) {
	low, high := 49152, 65535
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		low, high = outgoing(string(text), low, high)
	}
	if low >= 12000 {
		return 10000, low
	}
	if high < 64000 {
		return high + 1, 65536
	}
	return 10000, 65536
}

// outgoing parses the two numbers of a range, or returns low and high.
func outgoing(text string, low, high int) (int, int) {
	var a, b int
	if _, err := fmt.Sscan(strings.TrimSpace(text), &a, &b); err != nil || a < 1 || b < a || b > 65535 {
		return low, high
	}
	return a, b
}
