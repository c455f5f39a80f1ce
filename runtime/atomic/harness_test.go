package atomic_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/sim"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// The tests of this package use bare keys that hold integers, so that nothing
// but the protocol is tested.

func openEngine(t testing.TB) *sim.Engine {
	t.Helper()
	inner, err := embedded.Open("db", embedded.Options{FS: vfs.NewMem(), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New(inner)
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

func newRunner(t testing.TB) (*atomic.Runner, *sim.Engine) {
	engine := openEngine(t)
	return atomic.NewRunner(engine, atomic.Options{}), engine
}

func idAt(at time.Time) (id atomic.ID) {
	rand.Read(id[:])
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(at.UnixMilli())<<16)
	copy(id[:6], stamp[:6])
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

// fresh is a request that cannot come twice; again one that can.
func fresh() atomic.Request {
	return atomic.Request{ID: idAt(time.Now()), Fresh: true, Method: "Test.Do", MethodHash: 1, ArgsHash: 1}
}

func again() atomic.Request {
	req := fresh()
	req.Fresh = false
	return req
}

// keyed is a request with an Idempotency-Key.
func keyed() atomic.Request {
	req := again()
	req.Key = make([]byte, 32)
	rand.Read(req.Key)
	return req
}

func key(tx *atomic.Tx, name string) []byte {
	b := append([]byte(nil), tx.Prefix()...)
	return tuple.AppendString(tuple.AppendString(b, "test"), name)
}

func get(tx *atomic.Tx, name string) int64 {
	b, ok := tx.Get(key(tx, name))
	if !ok {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(b))
}

func set(tx *atomic.Tx, name string, n int64) {
	tx.Set(key(tx, name), binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

// increment is the body of a request that adds 1 to x and returns what it was.
func increment(_ context.Context, tx *atomic.Tx) ([]byte, error) {
	n := get(tx, "x")
	set(tx, "x", n+1)
	return []byte{byte(n)}, nil
}

// value reads a key in a request of its own.
func value(t testing.TB, engine store.Engine, name string) (n int64) {
	t.Helper()
	err := atomic.NewRunner(engine, atomic.Options{}).Read(context.Background(), func(_ context.Context, tx *atomic.Tx) error {
		n = get(tx, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// mustRun runs a request that has to come to an end.
func mustRun(t testing.TB, r *atomic.Runner, req atomic.Request, fn atomic.Func) atomic.Reply {
	t.Helper()
	reply, err := r.Run(context.Background(), req, fn)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// records returns the number of keys outside the test's own.
func records(t testing.TB, engine store.Engine) int {
	t.Helper()
	ctx := context.Background()
	v, err := engine.ReadVersion(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Release(v)
	prefix := tuple.AppendString(tuple.AppendString(nil, "app"), "inv")
	kvs, _, err := engine.Range(ctx, v, tuple.Range(prefix), store.RangeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return len(kvs)
}

var errRefused = errors.New("refused")
