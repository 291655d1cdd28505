package kafka

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/kafka"
)

// killWorker is the child process of TestKill: it inserts rows, which go out at
// once, and prints how many were acknowledged.
func killWorker(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	from, err := strconv.Atoi(os.Getenv("TICKWELL_KILL_FROM"))
	fail(err)
	db, err := tickwell.Open(ctx, dir, options(killSink(os.Getenv("TICKWELL_KILL_BROKER"), os.Getenv("TICKWELL_KILL_TOPIC")), slog.New(slog.DiscardHandler)))
	fail(err)
	for i := from; ; i++ {
		fail(insert(ctx, db, i, i+1))
		fmt.Println(i + 1)
	}
}

func killSink(addr, topic string) tickwell.SinkSpec {
	return tickwell.SinkSpec{Batch: 100, Linger: time.Millisecond, Sink: &kafka.Sink{Brokers: []string{addr}, Topic: topic, Create: &kafka.NewTopic{Partitions: 3}}}
}

// TestKill holds that kill -9 of the program in the middle loses no event of an
// acknowledged row, and keeps the order of each series.
func TestKill(t *testing.T) {
	b, topic, dir := start(t), newTopic(t), t.TempDir()
	n := 0
	for round := range 4 {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "TICKWELL_KILL_DIR="+dir, "TICKWELL_KILL_BROKER="+b.Addr("plain"), "TICKWELL_KILL_TOPIC="+topic, "TICKWELL_KILL_FROM="+strconv.Itoa(n))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until := n + 2000 + 700*round
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			i, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
			if err != nil {
				cmd.Process.Kill()
				t.Fatalf("the program says %q", lines.Text())
			}
			if n = i; n == until {
				cmd.Process.Kill()
				break
			}
		}
		rest, _ := io.ReadAll(out) // what it said before it died
		for line := range strings.Lines(string(rest)) {
			if i, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && strings.HasSuffix(line, "\n") {
				n = i
			}
		}
		cmd.Wait()
	}
	db := openStore(t, dir, killSink(b.Addr("plain"), topic), nil)
	// Of the row whose insert was under way when the program died all may be
	// there or nothing, or the row without its event: it was not acknowledged.
	if err := insert(t.Context(), db, n, n+1); err != nil {
		t.Fatal(err)
	}
	if err := db.Quiesce(within(t, 60*time.Second)); err != nil {
		t.Fatal(err)
	}
	again := check(t, topic, n+1)
	t.Logf("4 times killed, %d rows; %d events came again", n+1, again)
}
