package sink

import (
	"fmt"
	"net/netip"
)

// Trust says who chose the address of a target, and so where connections may
// go. The address that a name resolves to is looked at when it is dialled, so a
// name that changes its mind is no way around.
type Trust uint8

const (
	// Operator is an address from the program's own configuration: private
	// networks and this machine are allowed. Refused are link-local addresses,
	// where clouds serve credentials, multicast and unspecified ones.
	Operator Trust = iota
	// Untrusted is an address that users of the program may choose: https to
	// port 443 or 8443 of a public address only.
	Untrusted
)

// String returns "operator" or "untrusted".
func (t Trust) String() string {
	if t == Untrusted {
		return "untrusted"
	}
	return "operator"
}

// CheckAddr returns an error if connections to the address are refused.
func (t Trust) CheckAddr(a netip.AddrPort) error {
	ip := a.Addr().Unmap()
	if inner, ok := embedded(ip); ok {
		ip = inner // what a NAT64 or 6to4 gateway would connect to
	}
	why := ""
	switch {
	case !ip.IsValid() || ip.IsUnspecified():
		why = "unspecified"
	case ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		why = "multicast"
	case ip.IsLinkLocalUnicast() || ip == cloudMetadata6:
		why = "link-local"
	case t == Untrusted && !public(ip):
		why = "not public"
	case t == Untrusted && a.Port() != 443 && a.Port() != 8443:
		return fmt.Errorf("connections to port %d are refused", a.Port())
	}
	if why != "" {
		return fmt.Errorf("connections to %s are refused: %s address", a.Addr(), why)
	}
	return nil
}

// cloudMetadata6 is where a large cloud serves credentials over IPv6.
var cloudMetadata6 = netip.MustParseAddr("fd00:ec2::254")

// notPublic are the special-purpose blocks of RFC 6890 and its registry that
// the methods of netip.Addr do not know.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // shared by carriers
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo among them
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("3fff::/20"),       // documentation
}

// global6 is all of IPv6 that has been given out as public so far.
var global6 = netip.MustParsePrefix("2000::/3")

func public(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.Is6() && !global6.Contains(ip) {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// embedded returns the IPv4 address inside one of NAT64 (64:ff9b::/96) or 6to4
// (2002::/16).
func embedded(ip netip.Addr) (netip.Addr, bool) {
	if !ip.Is6() {
		return ip, false
	}
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return ip, false
}

var nat64 = netip.MustParsePrefix("64:ff9b::/96")
