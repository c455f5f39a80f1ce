package invoke_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime"
	protocol "github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/tuple"
)

var (
	errNegative = errors.New("bank: negative amount")
	errFrozen   = errors.New("bank: account is frozen")
	errAudit    = errors.New("audit: refused")
)

// limitError is an error that replies carry whole.
type limitError struct{ Limit int }

func (e *limitError) Error() string { return fmt.Sprintf("over the limit of %d", e.Limit) }

func appendLimitError(b []byte, err error) ([]byte, bool) {
	var e *limitError
	if !errors.As(err, &e) {
		return b, false
	}
	return fmt.Appendf(b, `{"Limit":%d}`, e.Limit), true
}

// rudeError panics when it is asked for its text.
type rudeError struct{}

func (rudeError) Error() string { panic("a secret of the error") }

// bank is an application on bare keys, with a method for every way to end.
type bank struct {
	runs  atomic.Int64       // how often Deposit ran, attempts included
	gate  chan chan struct{} // Slow sends what it waits for
	fault atomic.Pointer[func(store.Engine, context.Context, *store.Commit) (store.Version, error)]
}

func (b *bank) app() *runtime.App {
	method := func(name string, kind runtime.Kind, params []string, call func(context.Context, *protocol.Tx, *codec.Args, []byte) ([]byte, error)) *runtime.Method {
		return &runtime.Method{Name: name, Kind: kind, Params: params, Call: call}
	}
	return &runtime.App{
		Name:    "bank",
		OpenAPI: []byte(`{"openapi":"3.1.0"}`),
		Services: []*runtime.Service{
			{
				Name: "Audit",
				Methods: []*runtime.Method{
					method("Note", runtime.Atomic, nil, b.note),
				},
				Sentinels: []runtime.Sentinel{{Name: "audit.ErrAudit", Err: errAudit}},
			},
			{
				Name: "Bank",
				Methods: []*runtime.Method{
					method("Deposit", runtime.Atomic, []string{"account", "amount"}, b.deposit),
					method("Balance", runtime.ReadOnly, []string{"account"}, b.balance),
					method("Fail", runtime.Atomic, []string{"how"}, b.fail),
					method("Slow", runtime.Atomic, nil, b.slow),
					method("Huge", runtime.Atomic, nil, b.huge),
				},
				Errors:    []runtime.ErrorType{{Name: "bank.LimitError", AppendJSON: appendLimitError}},
				Sentinels: []runtime.Sentinel{{Name: "bank.ErrNegative", Err: errNegative}, {Name: "bank.ErrFrozen", Err: errFrozen}},
			},
		},
	}
}

func accountKey(tx *protocol.Tx, account string) []byte {
	return tuple.AppendString(tuple.AppendString(append([]byte(nil), tx.Prefix()...), "account"), account)
}

func get(tx *protocol.Tx, account string) (int, bool) {
	b, ok := tx.Get(accountKey(tx, account))
	if !ok {
		return 0, false
	}
	return int(binary.LittleEndian.Uint64(b)), true
}

func (b *bank) deposit(ctx context.Context, tx *protocol.Tx, in *codec.Args, out []byte) ([]byte, error) {
	account := codec.Arg(in, "account", codec.String)
	amount := codec.Arg(in, "amount", codec.Int)
	if err := in.Err(); err != nil {
		return nil, err
	}
	b.runs.Add(1)
	if amount < 0 {
		return nil, fmt.Errorf("deposit to %s: %w", account, errNegative)
	}
	balance, _ := get(tx, account)
	balance += amount
	tx.Set(accountKey(tx, account), binary.LittleEndian.AppendUint64(nil, uint64(balance)))
	return codec.Int.AppendJSON(out, &balance)
}

func (b *bank) balance(ctx context.Context, tx *protocol.Tx, in *codec.Args, out []byte) ([]byte, error) {
	account := codec.Arg(in, "account", codec.String)
	if err := in.Err(); err != nil {
		return nil, err
	}
	balance, ok := get(tx, account)
	return fmt.Appendf(out, `{"balance":%d,"ok":%t}`, balance, ok), nil
}

func (b *bank) note(ctx context.Context, tx *protocol.Tx, in *codec.Args, out []byte) ([]byte, error) {
	if err := in.Err(); err != nil {
		return nil, err
	}
	tx.Add(accountKey(tx, "notes"), 1)
	return append(out, "null"...), nil
}

func (b *bank) fail(ctx context.Context, tx *protocol.Tx, in *codec.Args, out []byte) ([]byte, error) {
	how := codec.Arg(in, "how", codec.String)
	if err := in.Err(); err != nil {
		return nil, err
	}
	tx.Set(accountKey(tx, "trace"), []byte("must not be seen"))
	switch how {
	case "panic":
		panic("a secret of the server")
	case "limit":
		return nil, fmt.Errorf("no: %w", &limitError{7})
	case "rude":
		return nil, rudeError{}
	case "plain":
		return nil, errors.New("no sentinel, \"quotes\" and \xff bytes")
	case "unwritable":
		e := codec.NewJSONEncoder(out)
		codec.EncodeJSONFloat(e, new(math.NaN()))
		return e.Finish()
	case "joined":
		return nil, fmt.Errorf("outer: %w", errors.Join(fmt.Errorf("first: %w", errAudit), errFrozen, errAudit))
	}
	return nil, nil
}

func (b *bank) slow(ctx context.Context, tx *protocol.Tx, in *codec.Args, out []byte) ([]byte, error) {
	if err := in.Err(); err != nil {
		return nil, err
	}
	release := make(chan struct{})
	b.gate <- release
	<-release
	return append(out, "true"...), nil
}

func (b *bank) huge(ctx context.Context, tx *protocol.Tx, in *codec.Args, out []byte) ([]byte, error) {
	value := make([]byte, store.MaxValueSize)
	for i := range store.MaxCommitSize/store.MaxValueSize + 1 {
		tx.Set(accountKey(tx, fmt.Sprint("huge", i)), value)
	}
	return append(out, "null"...), nil
}

// faulty is an engine whose commits the test may take over.
type faulty struct {
	store.Engine
	bank *bank
}

func (f faulty) Commit(ctx context.Context, c *store.Commit) (store.Version, error) {
	if fault := f.bank.fault.Load(); fault != nil {
		return (*fault)(f.Engine, ctx, c)
	}
	return f.Engine.Commit(ctx, c)
}

// front is a served bank.
type front struct {
	*bank
	*invoke.Handler
	engine store.Engine
	log    *strings.Builder // read it when no request runs
}

func serve(t testing.TB, opts invoke.Options, runner protocol.Options) *front {
	t.Helper()
	b := &bank{gate: make(chan chan struct{})}
	base, err := embedded.Open("data", embedded.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { base.Close() })
	return serveOn(b, base, opts, runner)
}

func serveOn(b *bank, base store.Engine, opts invoke.Options, runner protocol.Options) *front {
	f := &front{bank: b, engine: base, log: new(strings.Builder)}
	if opts.Log == nil {
		opts.Log = slog.New(slog.NewTextHandler(f.log, nil))
	}
	f.Handler = invoke.New(b.app(), protocol.NewRunner(faulty{base, b}, runner), opts)
	f.SetPhase(invoke.Serving)
	return f
}

// post sends a JSON body; headers are pairs of name and value.
func (f *front) post(path, body string, headers ...string) *http.Response {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return f.do(r)
}

func (f *front) do(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Result()
}

// text returns the body and the status, as "200 true".
func text(resp *http.Response) string {
	b, _ := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, strings.TrimSuffix(string(b), "\n"))
}
