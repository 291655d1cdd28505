package server

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
)

// Alertmanager is Prometheus' Alertmanager on port "http", without a cluster. It
// notifies the webhook receiver at hook as fast as it can, if hook is not empty.
func Alertmanager(hook string) Spec {
	return Spec{
		Name: "alertmanager", Needs: []string{"prometheus-alertmanager"}, Missing: "Debian package prometheus-alertmanager",
		Version: []string{"prometheus-alertmanager", "--version"}, VersionLine: regexp.MustCompile(`^alertmanager, version`),
		Ports:   []string{"http"},
		Telling: regexp.MustCompile(`Starting Alertmanager|Listening on|Received SIGTERM`),
		Prepare: func(_ context.Context, s *Server) error {
			receiver := ""
			if hook != "" {
				receiver = fmt.Sprintf("\n  webhook_configs:\n  - url: %s\n    send_resolved: true", hook)
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
				"--web.listen-address=" + s.Addr("http"), "--cluster.listen-address=",
			}, nil
		},
		Ready: func(ctx context.Context, s *Server) error {
			return HTTPReady(ctx, "http://"+s.Addr("http")+"/-/ready")
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
