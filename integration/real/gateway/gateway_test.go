// Package gateway has the test of examples/gateway with a real broker on both
// sides, and Apache Kafka where that is to be had.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
)

const (
	user     = "root"
	password = "c4nAry-pa55"
)

// gateway is the program of the example, as a process.
type gateway struct {
	t      *testing.T
	binary string
	args   []string
	cmd    *exec.Cmd
	said   strings.Builder
}

func build(t *testing.T, args ...string) *gateway {
	t.Helper()
	g := &gateway{t: t, binary: filepath.Join(t.TempDir(), "gateway"), args: args}
	cmd := exec.Command("go", "build", "-o", g.binary, ".")
	cmd.Dir = filepath.Join("..", "..", "..", "examples", "gateway")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return g
}

func (g *gateway) start() {
	g.t.Helper()
	g.cmd = exec.Command(g.binary, g.args...)
	g.cmd.Stdout, g.cmd.Stderr = &g.said, &g.said
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) end(how os.Signal) error {
	g.t.Helper()
	if err := g.cmd.Process.Signal(how); err != nil {
		g.t.Fatal(err)
	}
	return g.cmd.Wait()
}

// client connects to the broker and stays so over its restarts.
func client(t *testing.T, b *server.Server, id string, take func(paho.Message)) paho.Client {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + b.Addr("mqtt")).SetClientID(id).SetCleanSession(false).
		SetUsername(user).SetPassword(password).SetMaxReconnectInterval(100 * time.Millisecond).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { take(m) }))
	done(t, c.Connect())
	t.Cleanup(func() { c.Disconnect(100) })
	return c
}

func done(t *testing.T, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(trial.Patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
}

// kafka starts a broker of Kafka, nil if there is none.
func kafka(t *testing.T) *server.Server {
	t.Helper()
	k, err := server.New(t.Context(), server.Folder(t), server.Kafka(server.KafkaOptions{}))
	if errors.Is(err, server.ErrMissing) {
		t.Logf("without Kafka: %v", err)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	k.Start(t)
	t.Cleanup(func() {
		if err := k.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return k
}

// expected are the messages that come out: alerts above 90 and averages.
func expected() (lines []string) {
	for d := range 3 {
		for window := range 6 {
			lines = append(lines, fmt.Sprintf(`out/averages/root.plant.press%d {"time":"1970-01-01T00:00:%02dZ","average":%.1f}`, d+1, 10*window, float64(60+10*d)+float64(2*window)+0.5))
		}
	}
	for s := 55; s <= 60; s++ {
		lines = append(lines, fmt.Sprintf(`out/alerts/root.plant.press3 {"time":"%s","temperature":%d}`, time.Unix(int64(s), 0).UTC().Format(time.RFC3339), 80+s/5))
	}
	slices.Sort(lines)
	return lines
}

// TestGateway plays three sensors for a minute of readings. Meanwhile the broker
// is stopped and started again, and the gateway killed and started again later:
// every alert and average comes out of the broker, and of Kafka.
func TestGateway(t *testing.T) {
	b := server.Start(t, server.Mosquitto(server.MosquittoOptions{Users: map[string]string{user: password}}))
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-broker", b.Addr("mqtt"), "-user", user, "-password", secret, "-dir", t.TempDir()}
	k := kafka(t)
	if k != nil {
		args = append(args, "-kafka", k.Addr("plain"))
	}
	g := build(t, args...)
	g.start()
	t.Cleanup(func() {
		if t.Failed() {
			g.cmd.Process.Kill()
			t.Logf("the gateway said\n%s", g.said.String())
		}
	})

	var mu sync.Mutex
	var got []string
	out := client(t, b, "listener", func(m paho.Message) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, m.Topic()+" "+string(m.Payload()))
	})
	done(t, out.Subscribe("out/#", 1, nil))
	sensors := client(t, b, "sensors", func(paho.Message) {})
	play := func(from, to int) {
		t.Helper()
		for s := from; s < to; s++ {
			for d := range 3 {
				done(t, sensors.Publish(fmt.Sprint("in/press", d+1), 1, false,
					fmt.Sprintf(`{"device":"root.plant.press%d","measurements":["temperature"],"timestamp":%d,"values":[%d]}`, d+1, 1000*s, 60+10*d+s/5)))
			}
		}
	}
	arrived := func() (distinct []string) {
		mu.Lock()
		defer mu.Unlock()
		for _, line := range got {
			if strings.HasPrefix(line, "out/a") && !slices.Contains(distinct, line) {
				distinct = append(distinct, line)
			}
		}
		return distinct
	}
	wait := func(n int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), trial.Patience)
		defer cancel()
		if err := server.Poll(ctx, func() (bool, error) { return len(arrived()) >= n, nil }); err != nil {
			t.Fatalf("%v: %d messages came out, want %d:\n%s", err, len(arrived()), n, strings.Join(arrived(), "\n"))
		}
	}

	// The gateway has subscribed when the first averages come out; what was
	// published before went to nobody, so it is published until then.
	ctx, cancel := context.WithTimeout(t.Context(), trial.Patience)
	defer cancel()
	if err := server.Poll(ctx, func() (bool, error) {
		play(0, 21)
		return len(arrived()) >= 6, nil
	}); err != nil {
		t.Fatalf("nothing comes out: %v", err)
	}
	b.Restart(t)
	play(21, 31)
	wait(9)
	if err := g.end(os.Kill); err == nil {
		t.Error("the gateway ended well though it was killed")
	}
	play(31, 50) // the broker keeps them
	g.start()
	play(50, 61)
	want := expected()
	wait(len(want))
	if err := g.end(syscall.SIGTERM); err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
	lines := arrived()
	slices.Sort(lines)
	if !slices.Equal(lines, want) {
		t.Errorf("came out\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	mu.Lock()
	t.Logf("note: %s; %d messages out, %d of them more than once", b.VersionText, len(want), len(got)-len(want))
	mu.Unlock()
	if k != nil {
		inKafka(t, k, want)
	}
}

// inKafka compares the records of the topic with what came out of the broker.
func inKafka(t *testing.T, k *server.Server, want []string) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(k.Addr("plain")), kgo.ConsumeTopics("gateway"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var distinct []string
	ctx, cancel := context.WithTimeout(t.Context(), trial.Patience)
	defer cancel()
	for len(distinct) < len(want) {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%v: %d of %d records", err, len(distinct), len(want))
		}
		for _, r := range fetches.Records() {
			kind := "averages"
			if strings.Contains(string(r.Value), "temperature") {
				kind = "alerts"
			}
			if line := fmt.Sprintf("out/%s/%s %s", kind, r.Key, r.Value); !slices.Contains(distinct, line) {
				distinct = append(distinct, line)
			}
		}
	}
	slices.Sort(distinct)
	if !slices.Equal(distinct, want) {
		t.Errorf("in Kafka\n%s\nwant\n%s", strings.Join(distinct, "\n"), strings.Join(want, "\n"))
	}
	t.Logf("note: Kafka %s has the same %d", k.VersionText, len(want))
}
