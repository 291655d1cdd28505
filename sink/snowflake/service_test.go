package snowflake

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/standin"
)

// keys are made once: that takes a while.
var keys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var k [2]*rsa.PrivateKey
	for i := range k {
		var err error
		if k[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return k
})

func keyPEM(k *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// service stands for Snowflake, strictly: what its documents do not allow is
// refused. It was written from those documents, as the sink was.
type service struct {
	*standin.Server
	t   *testing.T
	key *rsa.PublicKey

	mu        sync.Mutex
	rows      []map[string]string // columns as text
	requests  map[string]bool     // ids of statements that were executed
	async     bool                // statements are answered with 202 first
	token     string              // of streaming
	next      int                 // continuation token
	opened    int
	appended  []map[string]string // not yet committed
	offset    string              // of them
	committed string
	polls     int
}

func newService(t *testing.T) *service {
	s := &service{Server: standin.New(), t: t, key: &keys()[0].PublicKey, requests: map[string]bool{}}
	s.Always(s.serve)
	t.Cleanup(s.Close)
	return s
}

func (s *service) sink() *Sink {
	return &Sink{
		Account: "myorg-acct", User: "tickwell", Key: sink.NewSecret(keyPEM(keys()[0])), URL: s.URL, Database: "DEMO", Schema: "PUBLIC", Table: "EVENTS",
		Columns:   []Column{{Name: "ID"}, {Name: "AT", From: "time"}, {Name: "V"}, {Name: "NOTE"}, {Name: "OK"}},
		Warehouse: "WH",
	}
}

func (s *service) ids() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		ids = append(ids, r["ID"])
	}
	return ids
}

// answer writes a JSON document.
func answer(w http.ResponseWriter, status int, doc map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(doc)
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	refuse := func(status int, why string) {
		answer(w, status, map[string]any{"code": "390144", "message": why})
	}
	streaming := strings.HasPrefix(r.URL.Path, "/v2/streaming/") && r.URL.Path != "/v2/streaming/hostname"
	if streaming {
		if r.Header.Get("Authorization") != "Bearer "+s.token || s.token == "" {
			refuse(401, "scoped token is invalid")
			return
		}
	} else if why := s.login(r); why != "" {
		refuse(401, why)
		return
	}
	switch path := r.URL.EscapedPath(); {
	case r.Method == "POST" && path == "/api/v2/statements":
		s.statement(w, r)
	case r.Method == "GET" && strings.HasPrefix(path, "/api/v2/statements/handle-"):
		answer(w, 200, map[string]any{"code": "090001", "sqlState": "00000", "message": "executed"})
	case r.Method == "GET" && path == "/v2/streaming/hostname":
		fmt.Fprint(w, strings.TrimPrefix(s.URL, "http://"))
	case r.Method == "POST" && path == "/oauth/token":
		form, err := url.ParseQuery(standin.Body(r))
		if err != nil || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || form.Get("scope") != strings.TrimPrefix(s.URL, "http://") {
			refuse(400, "bad grant")
			return
		}
		s.token = "sc0ped-" + strconv.Itoa(s.opened)
		fmt.Fprint(w, s.token)
	case streaming:
		s.stream(w, r, path)
	default:
		refuse(404, "no such path "+path)
	}
}

// login checks the token of a key pair.
func (s *service) login(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 || r.Header.Get("X-Snowflake-Authorization-Token-Type") != "KEYPAIR_JWT" {
		return "no token"
	}
	var head struct{ Alg, Typ string }
	var claims struct {
		Iss, Sub string
		Iat, Exp int64
	}
	for i, into := range []any{&head, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(b, into) != nil {
			return "not a token"
		}
	}
	der, err := x509.MarshalPKIXPublicKey(s.key)
	if err != nil {
		return err.Error()
	}
	sum := sha256.Sum256(der)
	now := time.Now().Unix()
	switch {
	case head.Alg != "RS256" || head.Typ != "JWT":
		return "algorithm"
	case claims.Sub != "MYORG-ACCT.TICKWELL":
		return "JWT token subject"
	case claims.Iss != claims.Sub+".SHA256:"+base64.StdEncoding.EncodeToString(sum[:]):
		return "JWT token is invalid: fingerprint"
	case claims.Iat > now+60 || claims.Exp <= now || claims.Exp-claims.Iat > 3600:
		return "JWT token has expired or is good for more than an hour"
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(s.key, crypto.SHA256, digest[:], signature) != nil {
		return "signature"
	}
	return ""
}

var insertForm = regexp.MustCompile(`^insert into "DEMO"\."PUBLIC"\."EVENTS" \(("[A-Z]+"(?:, "[A-Z]+")*)\) values (.*)$`)

func (s *service) statement(w http.ResponseWriter, r *http.Request) {
	fail := func(state, why string) {
		answer(w, 422, map[string]any{"code": "100038", "sqlState": state, "message": why})
	}
	id := r.URL.Query().Get("requestId")
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`).MatchString(id) || r.URL.Query().Get("retry") != "true" {
		answer(w, 400, map[string]any{"message": "requestId"})
		return
	}
	if s.requests[id] {
		answer(w, 200, map[string]any{"code": "090001", "sqlState": "00000"})
		return
	}
	var body struct {
		Statement, Database, Schema, Warehouse, Role string
		Timeout                                      int
		Bindings                                     map[string]struct {
			Type  string
			Value *string
		}
	}
	d := json.NewDecoder(strings.NewReader(standin.Body(r)))
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil || body.Warehouse != "WH" || body.Database != "DEMO" || body.Schema != "PUBLIC" {
		answer(w, 400, map[string]any{"message": fmt.Sprint("body: ", err)})
		return
	}
	m := insertForm.FindStringSubmatch(body.Statement)
	if m == nil {
		fail("42000", "SQL compilation error: "+body.Statement)
		return
	}
	columns := strings.Split(strings.ReplaceAll(m[1], `"`, ""), ", ")
	one := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	n := strings.Count(m[2], "(")
	if m[2] != one+strings.Repeat(", "+one, n-1) || len(body.Bindings) != n*len(columns) {
		fail("42000", "placeholders and bindings")
		return
	}
	var rows []map[string]string
	for i := range n {
		row := map[string]string{}
		for j, c := range columns {
			b, ok := body.Bindings[strconv.Itoa(i*len(columns)+j+1)]
			want := map[string]string{"ID": "TEXT", "AT": "TIMESTAMP_NTZ", "V": "REAL", "NOTE": "TEXT", "OK": "BOOLEAN"}[c]
			switch {
			case !ok:
				fail("42000", "binding")
				return
			case b.Value == nil:
				row[c] = "null"
				continue
			case b.Type != want || *b.Value == "poison":
				fail("22018", fmt.Sprintf("%s value %q for column %s", b.Type, *b.Value, c))
				return
			}
			row[c] = *b.Value
		}
		rows = append(rows, row)
	}
	s.rows = append(s.rows, rows...)
	s.requests[id] = true
	if s.async {
		answer(w, 202, map[string]any{"code": "333334", "statementHandle": "handle-" + id})
		return
	}
	answer(w, 200, map[string]any{"code": "090001", "sqlState": "00000"})
}

const pipePath = "/databases/DEMO/schemas/PUBLIC/pipes/EVENTS-STREAMING"

func (s *service) stream(w http.ResponseWriter, r *http.Request, path string) {
	status := map[string]any{"last_committed_offset_token": s.committed, "channel_status_code": "SUCCESS"}
	switch {
	case r.Method == "PUT" && path == "/v2/streaming"+pipePath+"/channels/tickwell":
		s.commit()
		s.opened++
		s.next = s.opened * 1000
		status["last_committed_offset_token"] = s.committed
		answer(w, 200, map[string]any{"next_continuation_token": strconv.Itoa(s.next), "channel_status": status})
	case r.Method == "POST" && path == "/v2/streaming/data"+pipePath+"/channels/tickwell/rows":
		q, body := r.URL.Query(), standin.Body(r)
		if q.Get("continuationToken") != strconv.Itoa(s.next) {
			answer(w, 400, map[string]any{"code": "STALE_CONTINUATION_TOKEN_SEQUENCER"})
			return
		}
		if len(body) > 16<<20 || r.Header.Get("Content-Type") != "application/x-ndjson" || q.Get("offsetToken") <= max(s.offset, s.committed) {
			answer(w, 413, map[string]any{"message": "body or offset token"})
			return
		}
		var rows []map[string]string
		for line := range strings.Lines(body) {
			var doc map[string]any
			if err := json.Unmarshal([]byte(line), &doc); err != nil {
				answer(w, 400, map[string]any{"message": err.Error()})
				return
			}
			row := map[string]string{}
			for k, v := range doc {
				row[k] = fmt.Sprint(v)
			}
			rows = append(rows, row)
		}
		s.appended, s.offset, s.polls = append(s.appended, rows...), q.Get("offsetToken"), 0
		s.next++
		answer(w, 200, map[string]any{"next_continuation_token": strconv.Itoa(s.next)})
	case r.Method == "POST" && path == "/v2/streaming"+pipePath+":bulk-channel-status":
		var body struct {
			Names []string `json:"channel_names"`
		}
		if err := json.Unmarshal([]byte(standin.Body(r)), &body); err != nil || len(body.Names) != 1 || body.Names[0] != "tickwell" {
			answer(w, 400, map[string]any{"message": "channel_names"})
			return
		}
		if s.polls++; s.polls > 1 { // it takes a while
			s.commit()
		}
		status["last_committed_offset_token"] = s.committed
		answer(w, 200, map[string]any{"channel_statuses": map[string]any{"tickwell": status}})
	default:
		answer(w, 404, map[string]any{"message": "no such path " + path})
	}
}

func (s *service) commit() {
	s.rows = append(s.rows, s.appended...)
	s.committed = max(s.committed, s.offset)
	s.appended, s.offset = nil, ""
}

func event(id string, fields ...tickwell.Field) tickwell.Event {
	return tickwell.Event{ID: id, Source: "t", Series: "root.d", Time: time.Date(2026, 1, 23, 10, 0, 0, 123e6, time.UTC), Fields: fields}
}
