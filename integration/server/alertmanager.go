package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"golang.org/x/crypto/bcrypt"
)

// AlertmanagerOptions are what tests set of an Alertmanager.
type AlertmanagerOptions struct {
	// Hook is a webhook receiver that it notifies as fast as it can.
	Hook string
	// User and Password are what it asks for, if there is a User.
	User, Password string
}

// Alertmanager is Prometheus' Alertmanager on port "http", without a cluster.
func Alertmanager(o AlertmanagerOptions) Spec {
	return Spec{
		Name: "alertmanager", Needs: []string{"prometheus-alertmanager"}, Missing: "Debian package prometheus-alertmanager",
		Version: []string{"prometheus-alertmanager", "--version"}, VersionLine: regexp.MustCompile(`^alertmanager, version`),
		Ports:   []string{"http"},
		Telling: regexp.MustCompile(`Starting Alertmanager|Listening on|Received SIGTERM`),
		Prepare: func(_ context.Context, s *Server) error {
			receiver := ""
			if o.Hook != "" {
				receiver = fmt.Sprintf("\n  webhook_configs:\n  - url: %s\n    send_resolved: true", o.Hook)
			}
			users := ""
			if o.User != "" {
				hash, err := bcrypt.GenerateFromPassword([]byte(o.Password), bcrypt.MinCost)
				if err != nil {
					return err
				}
				users = fmt.Sprintf("basic_auth_users:\n  %s: %s\n", o.User, hash)
			}
			if _, err := s.Write("web.yml", users); err != nil {
				return err
			}
			_, err := s.Write("alertmanager.yml", fmt.Sprintf(`route:
  receiver: all
  group_by: ['...']
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
- name: all%s
`, receiver))
			return err
		},
		Command: func(s *Server) ([]string, []string) {
			return []string{
				"prometheus-alertmanager", "--config.file=" + s.File("alertmanager.yml"), "--storage.path=" + s.File("data"),
				"--web.listen-address=" + s.Addr("http"), "--web.config.file=" + s.File("web.yml"), "--cluster.listen-address=",
			}, nil
		},
		Ready: func(ctx context.Context, s *Server) error {
			login := ""
			if o.User != "" {
				login = url.UserPassword(o.User, o.Password).String() + "@"
			}
			return HTTPReady(ctx, "http://"+login+s.Addr("http")+"/-/ready")
		},
	}
}

// HTTPReady reports nil if a URL answers 200.
func HTTPReady(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}
