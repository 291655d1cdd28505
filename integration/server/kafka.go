package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// KafkaOptions are what tests set of a broker.
type KafkaOptions struct {
	// Users maps names to passwords, for SASL with PLAIN, SCRAM-SHA-256 and
	// SCRAM-SHA-512. OAUTHBEARER takes unsigned tokens of anyone.
	Users map[string]string
	// Cert, if set, also opens port "tls" with that certificate, and SASL.
	Cert *Certificate
	// More are further lines of the settings.
	More string
}

// Kafka is a broker of Apache Kafka that is its own controller (KRaft), without
// authentication on port "plain", with SASL on port "sasl".
func Kafka(o KafkaOptions) Spec {
	ports := []string{"plain", "controller"}
	if len(o.Users) > 0 {
		ports = append(ports, "sasl")
		if o.Cert != nil {
			ports = append(ports, "tls")
		}
	}
	return Spec{
		Name: "kafka", Needs: []string{"java"}, Missing: "Debian package default-jre-headless", Check: checkJars("kafka"),
		Version:     java("kafka", os.TempDir(), "128m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "kafka.Kafka", "--version"),
		VersionLine: regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+`),
		Ports:       ports,
		Telling:     regexp.MustCompile(`Kafka Server started|Transition from (STARTING|STARTED|SHUTTING_DOWN) to|Kafka version:`),
		Prepare:     o.prepare,
		Command: func(s *Server) ([]string, []string) {
			return java("kafka", s.Dir, "512m",
				"-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
				"-Dorg.slf4j.simpleLogger.showThreadName=false", "-Dorg.slf4j.simpleLogger.showShortLogName=true",
				"kafka.Kafka", s.File("server.properties")), nil
		},
		Ready: func(ctx context.Context, s *Server) error {
			return errors.Join(s.said("Kafka Server started"), s.accepts(ctx))
		},
		Within: 4 * time.Minute,
	}
}

func (o KafkaOptions) prepare(ctx context.Context, s *Server) error {
	conf, err := o.settings(s)
	if err != nil {
		return err
	}
	file, err := s.Write("server.properties", conf)
	if err != nil {
		return err
	}
	format := []string{"-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "kafka.tools.StorageTool", "format", "-t", "dGlja3dlbGwtdGVzdC0wMQ", "-c", file}
	for name, password := range o.Users {
		for _, m := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
			format = append(format, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", m, name, password))
		}
	}
	argv := java("kafka", s.Dir, "128m", format...)
	if out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("format: %w: %s", err, out)
	}
	return nil
}

// listener is where a broker listens and what it speaks there.
type listener struct{ port, name, protocol string }

func (o KafkaOptions) settings(s *Server) (string, error) {
	listeners := []listener{{"plain", "PLAIN", "PLAINTEXT"}}
	var conf strings.Builder
	if len(o.Users) > 0 {
		listeners = append(listeners, listener{"sasl", "SASL", "SASL_PLAINTEXT"})
		if o.Cert != nil {
			listeners = append(listeners, listener{"tls", "TLS", "SASL_SSL"})
			file := s.File("keystore.pem")
			if err := os.WriteFile(file, append(append([]byte{}, o.Cert.Key...), o.Cert.Cert...), 0o600); err != nil {
				return "", err
			}
			fmt.Fprintf(&conf, "ssl.keystore.type=PEM\nssl.keystore.location=%s\n", file)
		}
		conf.WriteString("sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER\n")
		o.login(&conf, listeners[1:])
	}
	var listen, protocols []string
	for _, l := range listeners {
		listen = append(listen, fmt.Sprintf("%s://%s", l.name, s.Addr(l.port)))
		protocols = append(protocols, l.name+":"+l.protocol)
	}
	return conf.String() + fmt.Sprintf(`process.roles=broker,controller
node.id=1
controller.quorum.voters=1@%[1]s
controller.listener.names=CONTROLLER
listeners=%[2]s,CONTROLLER://%[1]s
advertised.listeners=%[2]s
inter.broker.listener.name=PLAIN
listener.security.protocol.map=%[3]s,CONTROLLER:PLAINTEXT
log.dirs=%[4]s
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
%[5]s
`, s.Addr("controller"), strings.Join(listen, ","), strings.Join(protocols, ","), s.File("data"), o.More), nil
}

// login writes who may log in at the listeners.
func (o KafkaOptions) login(conf *strings.Builder, listeners []listener) {
	for _, l := range listeners {
		prefix := "listener.name." + strings.ToLower(l.name) + "."
		fmt.Fprintf(conf, "%splain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required", prefix)
		for name, password := range o.Users {
			fmt.Fprintf(conf, " user_%s=\"%s\"", name, password)
		}
		conf.WriteString(";\n")
		for _, m := range []string{"scram-sha-256", "scram-sha-512"} {
			fmt.Fprintf(conf, "%s%s.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n", prefix, m)
		}
		fmt.Fprintf(conf, "%soauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";\n", prefix)
	}
}
