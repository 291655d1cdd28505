package server

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// NginxOptions are what tests set of a web server.
type NginxOptions struct {
	Cert *Certificate // required
	// Backend is the address, host:port, that it passes requests to.
	Backend string
	// User and Password, if set, are asked for (basic authentication).
	User, Password string
	// ClientCA, if set, has it ask for a client certificate of this authority.
	ClientCA []byte
	// More are further lines of the server block, such as limits.
	More string
	// HTTP are further lines of the http block.
	HTTP string
}

// Nginx is a web server that speaks TLS on port "https", and does not on port
// "http", and passes what it is asked to a backend.
func Nginx(o NginxOptions) Spec {
	return Spec{
		Name: "nginx", Needs: []string{"nginx"}, Missing: "Debian package nginx-light",
		Version: []string{"nginx", "-v"}, VersionLine: regexp.MustCompile(`^nginx version`),
		Ports:   []string{"https", "http"},
		Telling: regexp.MustCompile(`\[notice\].*(start worker|signal .* received|exit$|nginx/)`),
		Prepare: o.prepare,
		Command: func(s *Server) ([]string, []string) {
			return []string{"nginx", "-p", s.Dir, "-c", s.File("nginx.conf"), "-e", "stderr"}, nil
		},
	}
}

func (o NginxOptions) prepare(ctx context.Context, s *Server) error {
	if err := o.Cert.WriteTo(s.Dir); err != nil {
		return err
	}
	more := o.More
	if o.User != "" {
		out, err := exec.CommandContext(ctx, "openssl", "passwd", "-apr1", o.Password).Output()
		if err != nil {
			return fmt.Errorf("openssl passwd: %w", err)
		}
		file, err := s.Write("users", o.User+":"+strings.TrimSpace(string(out))+"\n")
		if err != nil {
			return err
		}
		more += fmt.Sprintf("\nauth_basic tickwell;\nauth_basic_user_file %s;", file)
	}
	if o.ClientCA != nil {
		file, err := s.Write("clients.pem", string(o.ClientCA))
		if err != nil {
			return err
		}
		more += fmt.Sprintf("\nssl_client_certificate %s;\nssl_verify_client on;", file)
	}
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s;\n", kind, s.File("temp_"+kind))
	}
	// One process, so that SIGKILL ends all of it.
	_, err := s.Write("nginx.conf", fmt.Sprintf(`daemon off;
master_process off;
pid %s;
error_log stderr notice;
events {}
http {
access_log off;
%s%s
server {
listen 127.0.0.1:%d ssl;
listen 127.0.0.1:%d;
ssl_certificate %s;
ssl_certificate_key %s;
%s
location / { proxy_pass http://%s; }
}
}
`, s.File("pid"), temp, o.HTTP, s.Port("https"), s.Port("http"), s.File(CertFile), s.File(KeyFile), more, o.Backend))
	return err
}
