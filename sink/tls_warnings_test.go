package sink_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/webhook"
)

// The store warns of a sink that does not check the server's certificate, once,
// when it is added, and of no other.
func TestTLSWarnings(t *testing.T) {
	for _, c := range []struct {
		name string
		conf *tls.Config
		want int
	}{
		{"none", nil, 0},
		{"checked", &tls.Config{}, 0},
		{"not checked", &tls.Config{InsecureSkipVerify: true}, 1},
		{"checked otherwise", &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return nil }}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Len(t, sink.TLSWarnings(c.conf), c.want)
			var log bytes.Buffer
			db, err := tickwell.Open(context.Background(), "", &tickwell.Options{
				Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
				Sinks:  []tickwell.SinkSpec{{Name: "hook", Sink: &webhook.Sink{URL: "https://localhost:1", TLS: c.conf}}},
			})
			require.NoError(t, err)
			require.NoError(t, db.Close())
			require.Equal(t, c.want, strings.Count(log.String(), "InsecureSkipVerify"), log.String())
		})
	}
}
