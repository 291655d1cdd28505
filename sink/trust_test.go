package sink

import (
	"net/netip"
	"testing"
)

func TestTrust(t *testing.T) {
	for _, c := range []struct {
		addr                string
		operator, untrusted bool
	}{
		{"93.184.216.34:443", true, true},
		{"93.184.216.34:8443", true, true},
		{"93.184.216.34:80", true, false},
		{"93.184.216.34:22", true, false},
		{"[2606:2800:220:1::1]:443", true, true},
		{"127.0.0.1:443", true, false},
		{"127.8.9.1:443", true, false},
		{"[::1]:443", true, false},
		{"[::ffff:127.0.0.1]:443", true, false},
		{"[::127.0.0.1]:443", true, false},
		{"10.1.2.3:443", true, false},
		{"172.16.0.1:443", true, false},
		{"192.168.1.1:443", true, false},
		{"100.64.0.1:443", true, false},
		{"192.0.2.1:443", true, false},
		{"198.18.0.1:443", true, false},
		{"240.0.0.1:443", true, false},
		{"0.1.2.3:443", true, false},
		{"[fd12::1]:443", true, false},
		{"[2001:db8::1]:443", true, false},
		{"[2001::1]:443", true, false},
		{"[64:ff9b::a00:1]:443", true, false}, // 10.0.0.1 behind NAT64
		{"[64:ff9b::5db8:d822]:443", true, true},
		{"[2002:7f00:1::]:443", true, false},       // 127.0.0.1 behind 6to4
		{"[2002:a9fe:a9fe::]:443", false, false},   // 169.254.169.254 behind 6to4
		{"[64:ff9b::a9fe:a9fe]:443", false, false}, // and behind NAT64
		{"169.254.169.254:80", false, false},
		{"169.254.169.254:443", false, false},
		{"[::ffff:169.254.169.254]:443", false, false},
		{"[fe80::1]:443", false, false},
		{"[fd00:ec2::254]:443", false, false},
		{"224.0.0.1:443", false, false},
		{"[ff02::1]:443", false, false},
		{"255.255.255.255:443", false, false},
		{"0.0.0.0:443", false, false},
		{"[::]:443", false, false},
	} {
		a := netip.MustParseAddrPort(c.addr)
		if err := Operator.CheckAddr(a); (err == nil) != c.operator {
			t.Errorf("operator %s: %v, want allowed %v", c.addr, err, c.operator)
		}
		if err := Untrusted.CheckAddr(a); (err == nil) != c.untrusted {
			t.Errorf("untrusted %s: %v, want allowed %v", c.addr, err, c.untrusted)
		}
	}
	if err := Operator.CheckAddr(netip.AddrPort{}); err == nil {
		t.Error("no address is allowed")
	}
	if Operator.String() != "operator" || Untrusted.String() != "untrusted" {
		t.Errorf("%v, %v", Operator, Untrusted)
	}
}
