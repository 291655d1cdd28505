package server

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// MosquittoOptions are what tests set of a broker.
type MosquittoOptions struct {
	// Users maps names to passwords. Without users everyone may do everything.
	Users map[string]string
	// ACL is the text of its access list.
	ACL string
	// Cert, if set, also opens port "tls" with that certificate.
	Cert *Certificate
	// ClientCA, if set, is the file of the authority whose certificates clients
	// of port "tls" must show.
	ClientCA string
	// More are further lines of the configuration.
	More string
}

// Mosquitto is the MQTT broker, protocols 3.1.1 and 5, on port "mqtt". It keeps
// sessions and retained messages over restarts, and takes messages of any number
// in flight.
func Mosquitto(o MosquittoOptions) Spec {
	ports := []string{"mqtt"}
	if o.Cert != nil {
		ports = append(ports, "tls")
	}
	return Spec{
		Name: "mosquitto", Needs: []string{"mosquitto", "mosquitto_passwd"}, Missing: "Debian package mosquitto",
		Version: []string{"mosquitto", "-h"}, VersionLine: regexp.MustCompile(`^mosquitto version`),
		Ports:   ports,
		Telling: regexp.MustCompile(`mosquitto version .* (starting|running|terminating)|Saving in-memory database`),
		Prepare: o.prepare,
		Command: func(s *Server) ([]string, []string) {
			return []string{"mosquitto", "-v", "-c", s.File("mosquitto.conf")}, nil
		},
	}
}

func (o MosquittoOptions) prepare(ctx context.Context, s *Server) error {
	var conf strings.Builder
	fmt.Fprintf(&conf, "user root\npersistence true\npersistence_location %s/\nlog_timestamp_format %%Y-%%m-%%dT%%H:%%M:%%S\n", s.Dir)
	fmt.Fprintf(&conf, "max_inflight_messages 0\nmax_queued_messages 0\n")
	if len(o.Users) == 0 {
		conf.WriteString("allow_anonymous true\n")
	} else {
		file, err := s.Write("passwords", "")
		if err != nil {
			return err
		}
		for name, password := range o.Users {
			if out, err := exec.CommandContext(ctx, "mosquitto_passwd", "-b", file, name, password).CombinedOutput(); err != nil {
				return fmt.Errorf("mosquitto_passwd: %w: %s", err, out)
			}
		}
		fmt.Fprintf(&conf, "allow_anonymous false\npassword_file %s\n", file)
	}
	if o.ACL != "" {
		file, err := s.Write("acl", o.ACL)
		if err != nil {
			return err
		}
		fmt.Fprintf(&conf, "acl_file %s\n", file)
	}
	fmt.Fprintf(&conf, "%s\nlistener %d 127.0.0.1\n", o.More, s.Port("mqtt"))
	if o.Cert != nil {
		if err := o.Cert.WriteTo(s.Dir); err != nil {
			return err
		}
		fmt.Fprintf(&conf, "listener %d 127.0.0.1\ncertfile %s\nkeyfile %s\n", s.Port("tls"), s.File(CertFile), s.File(KeyFile))
		if o.ClientCA != "" {
			fmt.Fprintf(&conf, "cafile %s\nrequire_certificate true\n", o.ClientCA)
		}
	}
	_, err := s.Write("mosquitto.conf", conf.String())
	return err
}
