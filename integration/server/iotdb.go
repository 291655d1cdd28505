package server

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

//go:embed jars/Query.java
var iotdbQuery string

// IoTDB is an Apache IoTDB that takes rows over MQTT: a config node, which knows
// the cluster, and a data node on the ports "rpc" and "mqtt". User and password
// are root.
//
// An MQTT acknowledgement of IoTDB 2.0.1-beta says that a row waits in memory: its
// broker hands a message to a pool of threads and answers; what comes of the
// insert is only logged. Rows that were acknowledged are lost when the data node
// ends soon after, also in order, or has just been started. No setting changes
// that; who must not lose rows has to ask for them, see [IoTDBShell].
type IoTDB struct {
	Config, Data *Server
}

const iotdbLogging = `<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{ISO8601} %p %c{0} - %m%n</pattern></encoder>
  </appender>
  <logger name="io.moquette" level="warn"/>
  <root level="info"><appender-ref ref="OUT"/></root>
</configuration>
`

// NewIoTDB prepares an IoTDB in dir without starting it.
func NewIoTDB(ctx context.Context, dir string) (*IoTDB, error) {
	db := &IoTDB{}
	node := func(name, class, started string, ports ...string) (*Server, error) {
		return New(ctx, dir, Spec{
			Name: name, Needs: []string{"java", "javac"}, Missing: "Debian package default-jdk-headless", Check: checkJars("iotdb"), Ports: ports,
			Telling: regexp.MustCompile(started + `|MQTT service successfully|is deactivated|Hook - .* exits`),
			Command: func(s *Server) ([]string, []string) { return iotdbJava(s, class, "-s"), nil },
			Ready:   func(_ context.Context, s *Server) error { return s.said(started) },
			Within:  4 * time.Minute, StopWithin: 20 * time.Second,
		})
	}
	var err error
	if db.Config, err = node("iotdb config node", "org.apache.iotdb.confignode.service.ConfigNode", "has successfully started and joined", "internal", "consensus"); err != nil {
		return nil, err
	}
	if db.Data, err = node("iotdb data node", "org.apache.iotdb.db.service.DataNode", "DataNode is set up successfully", "rpc", "mqtt", "internal", "exchange", "schema", "data"); err != nil {
		return nil, err
	}
	c, d := db.Config, db.Data
	conf := fmt.Sprintf(`cluster_name=tickwell
cn_seed_config_node=%[1]s
dn_seed_config_node=%[1]s
cn_internal_address=127.0.0.1
cn_internal_port=%[2]d
cn_consensus_port=%[3]d
dn_rpc_address=127.0.0.1
dn_rpc_port=%[4]d
dn_internal_address=127.0.0.1
dn_internal_port=%[5]d
dn_mpp_data_exchange_port=%[6]d
dn_schema_region_consensus_port=%[7]d
dn_data_region_consensus_port=%[8]d
enable_mqtt_service=true
mqtt_host=127.0.0.1
mqtt_port=%[9]d
mqtt_handler_pool_size=1
mqtt_payload_formatter=json
wal_mode=SYNC
disk_space_warning_threshold=0.0001
cn_system_dir=%[10]s/cn/system
cn_consensus_dir=%[10]s/cn/consensus
dn_system_dir=%[10]s/dn/system
dn_data_dirs=%[10]s/dn/data
dn_consensus_dir=%[10]s/dn/consensus
dn_wal_dirs=%[10]s/dn/wal
dn_tracing_dir=%[10]s/dn/tracing
dn_sync_dir=%[10]s/dn/sync
`, c.Addr("internal"), c.Port("internal"), c.Port("consensus"), d.Port("rpc"), d.Port("internal"), d.Port("exchange"), d.Port("schema"),
		d.Port("data"), d.Port("mqtt"), d.File("data"))
	for name, text := range map[string]string{"conf/iotdb-system.properties": conf, "conf/logback.xml": iotdbLogging, "Query.java": iotdbQuery} {
		if _, err := d.Write(name, text); err != nil {
			return nil, err
		}
	}
	return db, nil
}

// iotdbJava is the command line of one of IoTDB's programs.
func iotdbJava(s *Server, class string, args ...string) []string {
	flags := []string{"-DOFF_HEAP_MEMORY=128M", "-Dlogback.configurationFile=" + s.File("conf/logback.xml")}
	for _, home := range []string{"IOTDB", "CONFIGNODE"} {
		flags = append(flags, "-D"+home+"_HOME="+s.Dir, "-D"+home+"_CONF="+s.File("conf"))
	}
	for _, p := range []string{"java.util.concurrent", "java.lang", "java.util", "java.nio", "java.io", "java.net"} {
		flags = append(flags, "--add-opens=java.base/"+p+"=ALL-UNNAMED")
	}
	return java("iotdb", s.Dir, "384m", append(append(flags, class), args...)...)
}

// Up starts both nodes.
func (db *IoTDB) Up(ctx context.Context) error {
	if err := db.Config.Up(ctx); err != nil {
		return err
	}
	return db.Data.Up(ctx)
}

// Down stops both nodes. The data node takes longer than a stop may, and is
// killed then; what it has acknowledged is in its log.
func (db *IoTDB) Down(ctx context.Context) error {
	return errors.Join(db.Data.Down(ctx), db.Config.Down(ctx))
}

// queryJava is the command line of the program that runs statements.
func (db *IoTDB) queryJava(statements ...string) []string {
	return java("iotdb", db.Data.Dir, "128m", append([]string{
		"-Dlogback.configurationFile=" + db.Data.File("conf/logback.xml"), db.Data.File("Query.java"),
		"127.0.0.1", fmt.Sprint(db.Data.Port("rpc")), "root", "root",
	}, statements...)...)
}

// Query runs statements and returns the lines that queries give.
func (db *IoTDB) Query(t testing.TB, statements ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), while)
	defer cancel()
	argv := db.queryJava(statements...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("iotdb: %q: %v\n%s%s", statements, err, out.String(), log.String())
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}
