package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
)

// table is a dimension table: columns by key. A key that is not in it adds
// nothing, so those columns are missing from the event.
type table map[string][]tickwell.Field

// enricher turns payments into events that others may see.
type enricher struct{ shops table }

// repeatWithin is how long after a payment the same one is a repetition.
const repeatWithin = 10 * time.Second

// Fire is called with new payments of one till.
func (e *enricher) Fire(_ context.Context, f *tickwell.Firing) error {
	till := f.Device[strings.LastIndexByte(f.Device, '.')+1:]
	// What was seen is state of the trigger: it is stored with the events that it
	// made, and is there after a restart.
	seen := map[string]time.Time{}
	if b, ok := f.Get(till); ok {
		if err := json.Unmarshal(b, &seen); err != nil {
			return err
		}
	}
	for row := range f.Rows() {
		maps.DeleteFunc(seen, func(_ string, at time.Time) bool { return row.Time().Sub(at) >= repeatWithin })
		card, amount := row.Get("card").Text(), row.Get("amount")
		payment := pseudonym(card) + " " + amount.String()
		if _, again := seen[payment]; again {
			continue
		}
		seen[payment] = row.Time()
		fields := []tickwell.Field{
			tickwell.Text("till", till), tickwell.Text("card", lastFour(card)), tickwell.Text("customer", pseudonym(row.Get("mail").Text())),
			{Name: "amount", Value: amount},
		}
		f.Emit(tickwell.Event{Series: f.Device, Time: row.Time(), Fields: append(fields, e.shops[till]...)})
	}
	b, err := json.Marshal(seen)
	if err != nil {
		return err
	}
	f.Put(till, b)
	return nil
}

// lastFour hides all but the last four digits.
func lastFour(card string) string {
	if len(card) <= 4 {
		return strings.Repeat("*", len(card))
	}
	return strings.Repeat("*", len(card)-4) + card[len(card)-4:]
}

// pseudonym is the same for the same person, and does not tell who it is to
// those who do not have the key.
func pseudonym(s string) string {
	h := hmac.New(sha256.New, []byte("a key from your vault"))
	h.Write([]byte(s))
	return hex.EncodeToString(h.Sum(nil)[:6])
}
