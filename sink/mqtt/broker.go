package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// address is where a broker is.
type address struct {
	host     string // for the certificate
	hostPort string
	tls      bool
}

// address reads Broker. Errors do not repeat it, for it may hold credentials
// that do not belong there.
func (s *Sink) address() (address, error) {
	a := address{tls: s.TLS != nil}
	rest := s.Broker
	if scheme, after, ok := strings.Cut(rest, "://"); ok {
		switch scheme {
		case "mqtt":
			if a.tls {
				return a, errors.New("Broker says mqtt:// and TLS is set: for TLS it is mqtts://")
			}
		case "mqtts":
			a.tls = true
		default:
			return a, errors.New("Broker has a scheme other than mqtt:// and mqtts://")
		}
		u, err := url.Parse("mqtt://" + after)
		if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
			return a, errors.New("Broker is not host:port; credentials have fields of their own")
		}
		rest = u.Host
	}
	if strings.ContainsAny(rest, "@/ \t\r\n\x00") || rest == "" {
		return a, errors.New("Broker is not host:port")
	}
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		host, port = strings.Trim(rest, "[]"), "1883"
		if a.tls {
			port = "8883"
		}
		if strings.Contains(host, ":") && net.ParseIP(host) == nil {
			return a, errors.New("Broker is not host:port")
		}
	}
	if host == "" || port == "" {
		return a, errors.New("Broker is not host:port")
	}
	a.host, a.hostPort = host, net.JoinHostPort(host, port)
	return a, nil
}

// dial connects to the broker, with TLS if that is asked for.
func (s *Sink) dial(ctx context.Context) (net.Conn, error) {
	a, err := s.address()
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return s.Trust.CheckAddr(to)
	}}
	conn, err := d.DialContext(ctx, "tcp", a.hostPort)
	if err != nil {
		return nil, err
	}
	conn = newPrompt(conn)
	if !a.tls {
		return newWire(conn), nil
	}
	conf := &tls.Config{}
	if s.TLS != nil {
		conf = s.TLS.Clone()
	}
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	if conf.ServerName == "" {
		conf.ServerName = a.host
	}
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return newWire(secure), nil
}
