package snowflake

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/sink"
)

// binding is a value of a statement.
type binding struct {
	Type  string  `json:"type"`
	Value *string `json:"value"`
}

// bind turns what a column is filled from into a binding. A time is a
// TIMESTAMP_NTZ in UTC, in nanoseconds.
func bind(e *tickwell.Event, from string) binding {
	text := func(kind, s string) binding { return binding{kind, &s} }
	v := e.Get(from)
	if v.IsNull() {
		switch from {
		case "time":
			return text("TIMESTAMP_NTZ", strconv.FormatInt(e.Time.UnixNano(), 10))
		case "id":
			return text("TEXT", e.ID)
		case "series":
			return text("TEXT", e.Series)
		case "source":
			return text("TEXT", e.Source)
		}
		return binding{Type: "TEXT"}
	}
	switch v.Kind() {
	case tickwell.KindBool:
		return text("BOOLEAN", strconv.FormatBool(v.Bool()))
	case tickwell.KindInt32, tickwell.KindInt64:
		return text("FIXED", strconv.FormatInt(v.Int64(), 10))
	case tickwell.KindFloat32, tickwell.KindFloat64:
		return text("REAL", v.String())
	}
	return text("TEXT", v.String())
}

// quote makes an identifier of any text.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// statement returns an INSERT of n rows.
func (s *Sink) statement(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "insert into %s.%s.%s (", quote(s.Database), quote(s.Schema), quote(s.Table))
	for i, c := range s.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(c.Name))
	}
	row := "(?" + strings.Repeat(", ?", len(s.Columns)-1) + ")"
	b.WriteString(") values " + row + strings.Repeat(", "+row, n-1))
	return b.String()
}

// requestID is a UUID that is the same for the same events, so that the service
// can tell a repetition from a new statement.
func requestID(statement string, events []tickwell.Event) string {
	h := sha256.New()
	h.Write([]byte(statement))
	for i := range events {
		fmt.Fprintf(h, "\x00%d:%s", len(events[i].ID), events[i].ID)
	}
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// insert writes events by one statement.
func (s *Sink) insert(ctx context.Context, events []tickwell.Event) error {
	st := s.state
	statement := s.statement(len(events))
	bindings := make(map[string]binding, len(events)*len(s.Columns))
	for i := range events {
		for j, c := range s.Columns {
			bindings[strconv.Itoa(i*len(s.Columns)+j+1)] = bind(&events[i], c.from())
		}
	}
	body := map[string]any{"statement": statement, "bindings": bindings, "timeout": 60, "database": s.Database, "schema": s.Schema}
	if s.Warehouse != "" {
		body["warehouse"] = s.Warehouse
	}
	if s.Role != "" {
		body["role"] = s.Role
	}
	text, err := json.Marshal(body)
	if err != nil {
		return sink.Permanent(fmt.Errorf("snowflake: %w", err))
	}
	h, err := s.header(st, "application/json")
	if err != nil {
		return err
	}
	a, err := st.account.Send(ctx, http.MethodPost, "/api/v2/statements?requestId="+requestID(statement, events)+"&retry=true", h, text)
	for {
		if err != nil {
			return err
		}
		var said struct{ Code, Message, SQLState, StatementHandle string }
		_ = json.Unmarshal(a.Body, &said)
		switch {
		case a.Status == http.StatusAccepted && said.StatementHandle != "":
			if err := pause(ctx, 200*time.Millisecond); err != nil {
				return err
			}
			a, err = st.account.Send(ctx, http.MethodGet, "/api/v2/statements/"+said.StatementHandle, h, nil)
			continue
		case a.Status == http.StatusUnprocessableEntity:
			err := st.account.Answered(a, st.account.Text(a))
			if strings.HasPrefix(said.SQLState, "22") || strings.HasPrefix(said.SQLState, "23") {
				return sink.Permanent(err)
			}
			return sink.Retry(err, 0)
		}
		return classify(st.account, a)
	}
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	over := make(chan struct{})
	stop := clock.System().AfterFunc(d, func() { close(over) })
	defer stop()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
