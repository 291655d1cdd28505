package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// EximOptions are what tests set of a mail server.
type EximOptions struct {
	Cert *Certificate // required: it takes mail after STARTTLS only
	// User and Password are what it asks for before it takes a mail.
	User, Password string
	// QueueOnly has it take mails and not deliver them.
	QueueOnly bool
}

// Exim is a mail server with STARTTLS on port "smtp" and TLS from the first byte
// on port "smtps". It takes mail of whoever has logged in, delivers it to a
// maildir, refuses the recipients nobody@ (for good) and later@ (for now), and
// mails whose subject begins with "poison".
func Exim(o EximOptions) Spec {
	return Spec{
		Name: "exim", Needs: []string{"exim4"}, Missing: "Debian package exim4-daemon-light",
		Version: []string{"exim4", "--version"}, VersionLine: regexp.MustCompile(`^Exim version`),
		Ports:    []string{"smtp", "smtps"},
		Children: true, Telling: regexp.MustCompile(`daemon started`), LogFile: "log/mainlog",
		Prepare: func(_ context.Context, s *Server) error {
			if err := o.Cert.WriteTo(s.Dir); err != nil {
				return err
			}
			// It drops its privileges before it reads these.
			if err := os.Chmod(s.File(KeyFile), 0o644); err != nil {
				return err
			}
			for _, dir := range []string{"spool", "mail", "log"} {
				if err := os.Mkdir(s.File(dir), 0o777); err != nil {
					return err
				}
				if err := os.Chmod(s.File(dir), 0o777); err != nil {
					return err
				}
			}
			_, err := s.Write("exim.conf", o.conf(s))
			return err
		},
		Command: func(s *Server) ([]string, []string) {
			return []string{"exim4", "-C", s.File("exim.conf"), "-bdf", "-q30m"}, nil
		},
	}
}

func (o EximOptions) conf(s *Server) string {
	return strings.NewReplacer(
		"DIR", s.Dir, "SMTPS", fmt.Sprint(s.Port("smtps")), "SMTP", fmt.Sprint(s.Port("smtp")), "QUEUE", fmt.Sprint(o.QueueOnly),
		"USER", o.User, "PASSWORD", o.Password, "CERT", s.File(CertFile), "KEY", s.File(KeyFile),
	).Replace(`
primary_hostname = localhost
keep_environment =
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
pid_file_path = DIR/spool/pid
log_selector = +subject +smtp_confirmation
local_interfaces = 127.0.0.1
daemon_smtp_ports = SMTP : SMTPS
tls_on_connect_ports = SMTPS
tls_advertise_hosts = *
tls_certificate = CERT
tls_privatekey = KEY
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = check_recipient
acl_smtp_data = check_mail
message_size_limit = 100K
queue_only = QUEUE
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
smtp_accept_max_nonmail = 1000000

begin acl
check_recipient:
  deny !authenticated = *
    message = authentication required
  deny local_parts = nobody
    message = no such user
  defer local_parts = later
    message = come back later
  accept
check_mail:
  deny condition = ${if match{$h_subject:}{^poison}}
    message = content refused
  accept

begin routers
all:
  driver = accept
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = DIR/mail
  maildir_format
  create_directory
  envelope_to_add

begin retry
* * F,1h,1m

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{USER}}{eq{$auth3}{PASSWORD}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{USER}}{eq{$auth2}{PASSWORD}}}}
  server_set_id = $auth1
`)
}

var eximSubject = regexp.MustCompile(` <= .* T="((?:[^"\\]|\\.)*)"`)

// EximTaken returns the subjects of the mails that an Exim has taken, in order.
func EximTaken(s *Server) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(s.Dir, "log", "mainlog"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var subjects []string
	for _, m := range eximSubject.FindAllStringSubmatch(string(text), -1) {
		subjects = append(subjects, strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(m[1]))
	}
	return subjects, nil
}

// EximDelivered returns the mails that an Exim has delivered, in no order.
func EximDelivered(s *Server) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(s.Dir, "mail", "new", "*"))
	if err != nil {
		return nil, err
	}
	var mails []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		mails = append(mails, string(text))
	}
	return mails, nil
}
