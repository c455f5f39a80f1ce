package invoke_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	protocol "github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
)

const deposit = `{"account":"a","amount":5}`

func TestReplay(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	id := uuid.Must(uuid.NewV7()).String()
	for _, header := range [][]string{{"Idempotency-Key", "k"}, {"Onefold-Id", id}} {
		account := header[0]
		body := fmt.Sprintf(`{"account":%q,"amount":5}`, account)
		first := f.post("/Bank/Deposit", body, header...)
		second := f.post("/Bank/Deposit", fmt.Sprintf(`{ "amount":5, "account":%q}`, account), header...)
		if a, b := text(first), text(second); a != "200 5" || b != "200 5" {
			t.Errorf("%s: replies are %s and %s, want 200 5 twice", header[0], a, b)
		}
		if a, b := first.Header.Get("Onefold-Replayed"), second.Header.Get("Onefold-Replayed"); a != "false" || b != "true" {
			t.Errorf("%s: Onefold-Replayed is %s and %s, want false and true", header[0], a, b)
		}
	}
	if got := f.post("/Audit/Note", "", "Onefold-Id", uuid.Must(uuid.NewV7()).String()).Header["Onefold-Id"]; len(got) != 1 {
		t.Errorf("Onefold-Id is %v, want the one given", got)
	}
	if got := f.post("/Audit/Note", "", "Idempotency-Key", "other").Header["Onefold-Id"]; got != nil {
		t.Errorf("a request with a key got Onefold-Id %v, by which it cannot be asked for", got)
	}
}

// The id that a reply carries is one to ask again by.
func TestReplayByFreshID(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	id := f.post("/Bank/Deposit", deposit).Header.Get("Onefold-Id")
	again := f.post("/Bank/Deposit", deposit, "Onefold-Id", id)
	if got := text(again); got != "200 5" || again.Header.Get("Onefold-Id") != id {
		t.Errorf("asked again by id %s: %s with id %s", id, got, again.Header.Get("Onefold-Id"))
	}
}

func TestReplayOfApplicationError(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	const body = `{"account":"a","amount":-5}`
	first := f.post("/Bank/Deposit", body, "Idempotency-Key", "k")
	second := f.post("/Bank/Deposit", body, "Idempotency-Key", "k")
	if diff := cmp.Diff(text(first), text(second)); diff != "" || first.StatusCode != 422 {
		t.Errorf("the deliveries of one error differ (-first +second):\n%s", diff)
	}
	if got := second.Header; got.Get("Onefold-Replayed") != "true" || got.Get("Content-Type") != "application/problem+json" {
		t.Errorf("headers of the replay are %v", got)
	}
	if n := f.runs.Load(); n != 1 {
		t.Errorf("the method ran %d times", n)
	}
}

// Malformed input says nothing of the state, so the key is free for the corrected request.
func TestMalformedInputIsNotRecorded(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	if got := f.post("/Bank/Deposit", `{"account":"a"}`, "Idempotency-Key", "k").StatusCode; got != 400 {
		t.Errorf("a missing parameter gives %d", got)
	}
	if got := text(f.post("/Bank/Deposit", deposit, "Idempotency-Key", "k")); got != "200 5" {
		t.Errorf("the corrected request gives %s", got)
	}
}

func TestReplayAfterRestart(t *testing.T) {
	fs := vfs.NewMem()
	for range 3 {
		engine, err := embedded.Open("data", embedded.Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		f := serveOn(new(bank), engine, invoke.Options{}, protocol.Options{})
		if got := text(f.post("/Bank/Deposit", deposit, "Idempotency-Key", "k")); got != "200 5" {
			t.Errorf("reply is %s, want 200 5 after each restart", got)
		}
		if err := engine.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConcurrentDuplicates(t *testing.T) {
	f := serve(t, invoke.Options{}, protocol.Options{})
	const keys, each = 8, 8
	var wg sync.WaitGroup
	replies := make([][each]string, keys)
	for k := range keys {
		for i := range each {
			wg.Go(func() {
				body := fmt.Sprintf(`{"account":"shared","amount":%d}`, 1<<(4*k))
				replies[k][i] = text(f.post("/Bank/Deposit", body, "Idempotency-Key", fmt.Sprint("key", k)))
			})
		}
	}
	wg.Wait()
	for k, r := range replies {
		for _, reply := range r {
			if reply != r[0] || !strings.HasPrefix(reply, "200 ") {
				t.Errorf("key %d: replies differ: %q", k, r)
				break
			}
		}
	}
	want := fmt.Sprintf(`200 {"balance":%d,"ok":true}`, 0x11111111)
	if got := text(f.post("/Bank/Balance", `{"account":"shared"}`)); got != want {
		t.Errorf("balance is %s, want %s: each key once", got, want)
	}
}

func TestRefusedIdentity(t *testing.T) {
	now := time.Now()
	clock := func() time.Time { return now }
	f := serve(t, invoke.Options{Now: clock}, protocol.Options{Now: clock})
	id := f.post("/Bank/Deposit", deposit).Header.Get("Onefold-Id")
	f.post("/Bank/Deposit", deposit, "Idempotency-Key", "k")
	for _, test := range []struct {
		name, path, body string
		headers          []string
		status           int
		kind             string
	}{
		{"other arguments", "/Bank/Deposit", `{"account":"a","amount":6}`, []string{"Idempotency-Key", "k"}, 422, invoke.TypeMismatch},
		{"other method", "/Audit/Note", `{}`, []string{"Idempotency-Key", "k"}, 422, invoke.TypeMismatch},
		{"other arguments by id", "/Bank/Deposit", `{"account":"b","amount":5}`, []string{"Onefold-Id", id}, 422, invoke.TypeMismatch},
		{"both", "/Audit/Note", `{}`, []string{"Idempotency-Key", "k", "Onefold-Id", id}, 400, invoke.TypeInput},
		{"empty key", "/Audit/Note", `{}`, []string{"Idempotency-Key", ""}, 400, invoke.TypeInput},
		{"long key", "/Audit/Note", `{}`, []string{"Idempotency-Key", strings.Repeat("k", 256)}, 400, invoke.TypeInput},
		{"no UUID", "/Audit/Note", `{}`, []string{"Onefold-Id", "7"}, 400, invoke.TypeInput},
		{"UUIDv4", "/Audit/Note", `{}`, []string{"Onefold-Id", "f47ac10b-58cc-4372-a567-0e02b2c3d479"}, 400, invoke.TypeInput},
		{"old id", "/Audit/Note", `{}`, []string{"Onefold-Id", "01912d68-783e-7c5b-8000-0242ac120002"}, 422, invoke.TypeExpired},
		{"id of the future", "/Audit/Note", `{}`, []string{"Onefold-Id", "ff912d68-783e-7c5b-8000-0242ac120002"}, 400, invoke.TypeInput},
	} {
		p := problem(t, f.post(test.path, test.body, test.headers...))
		if p.Status != test.status || p.Type != test.kind {
			t.Errorf("%s: %d %s (%s), want %d %s", test.name, p.Status, p.Type, p.Detail, test.status, test.kind)
		}
	}
	long := f.post("/Bank/Deposit", deposit, "Idempotency-Key", strings.Repeat("k", 255))
	if got := text(long); got != "200 15" {
		t.Errorf("a key of 255 bytes: %s", got)
	}
}

// A client that is told that the outcome is unknown finds out by asking again.
func TestOutcomeUnknown(t *testing.T) {
	for _, landed := range []bool{false, true} {
		f := serve(t, invoke.Options{}, protocol.Options{Attempts: 1})
		lost := func(e store.Engine, ctx context.Context, c *store.Commit) (store.Version, error) {
			if landed {
				e.Commit(ctx, c)
			}
			return 0, store.ErrUnknown
		}
		f.fault.Store(&lost)
		keyed := problem(t, f.post("/Bank/Deposit", deposit, "Idempotency-Key", "k"))
		fresh := problem(t, f.post("/Bank/Deposit", `{"account":"b","amount":5}`))
		f.fault.Store(nil)
		for _, p := range []invoke.Problem{keyed, fresh} {
			if p.Status != http.StatusServiceUnavailable || p.Type != invoke.TypeOutcomeUnknown {
				t.Errorf("problem is %+v, want outcome unknown", p)
			}
		}
		if !strings.Contains(keyed.Detail, "the same Idempotency-Key") || !strings.Contains(fresh.Detail, "Onefold-Id: "+fresh.ID) {
			t.Errorf("how to ask again is missing: %q and %q", keyed.Detail, fresh.Detail)
		}
		if got := text(f.post("/Bank/Deposit", deposit, "Idempotency-Key", "k")); got != "200 5" {
			t.Errorf("landed %t: asked again by key: %s, want 200 5", landed, got)
		}
		if got := text(f.post("/Bank/Deposit", `{"account":"b","amount":5}`, "Onefold-Id", fresh.ID)); got != "200 5" {
			t.Errorf("landed %t: asked again by id: %s, want 200 5", landed, got)
		}
	}
}
