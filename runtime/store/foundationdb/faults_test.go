//go:build foundationdb && fdbsim

package foundationdb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/foundationdb"
	"github.com/onefold/onefold/runtime/store/foundationdb/fdbsim"
)

// meanings are the errors that callers tell apart.
var meanings = []error{
	store.ErrConflict, store.ErrUnknown, store.ErrTooOld, store.ErrTooLarge, store.ErrFull, store.ErrClosed,
	context.Canceled, context.DeadlineExceeded,
}

// means returns which of the meanings err has.
func means(err error) []string {
	var found []string
	for _, m := range meanings {
		if errors.Is(err, m) {
			found = append(found, m.Error())
		}
	}
	return found
}

func wantMeaning(t *testing.T, what string, want, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want one", what)
	}
	var names []string
	if want != nil {
		names = append(names, want.Error())
	}
	if diff := cmp.Diff(names, means(err)); diff != "" {
		t.Errorf("%s: meaning of %v (-want +got):\n%s", what, err, diff)
	}
}

// try makes the test fail on an error of the double.
func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func version(t *testing.T, e store.Engine) store.Version {
	t.Helper()
	v, err := e.ReadVersion(t.Context())
	try(t, err)
	t.Cleanup(func() { e.Release(v) })
	return v
}

func set(key, value string) store.Op {
	return store.Op{Kind: store.Set, Key: []byte(key), Value: []byte(value)}
}

// appendTo commits one more x to the value of n, in one attempt.
func appendTo(ctx context.Context, e store.Engine) error {
	v, err := e.ReadVersion(ctx)
	if err != nil {
		return err
	}
	defer e.Release(v)
	value, _, err := e.Get(ctx, v, []byte("n"))
	if err != nil {
		return err
	}
	_, err = e.Commit(ctx, &store.Commit{
		Version: v, Reads: []store.Range{store.Point([]byte("n"))}, Ops: []store.Op{set("n", string(value)+"x")},
	})
	return err
}

// appended returns how many times appendTo happened.
func appended(t *testing.T, e store.Engine) int {
	t.Helper()
	v := version(t, e)
	value, _, err := e.Get(t.Context(), v, []byte("n"))
	try(t, err)
	return len(value)
}

func TestReadFaults(t *testing.T) {
	c := newCluster(t)
	e := openOn(t, c, foundationdb.Options{})
	defer e.Close()
	ctx := t.Context()
	v := version(t, e)
	ops := []struct {
		op  fdbsim.Op
		run func() error
	}{
		{fdbsim.ReadVersion, func() error {
			v, err := e.ReadVersion(ctx)
			if err == nil {
				e.Release(v)
			}
			return err
		}},
		{fdbsim.Get, func() error { _, _, err := e.Get(ctx, v, []byte("k")); return err }},
		{fdbsim.Range, func() error {
			_, _, err := e.Range(ctx, v, store.Range{End: store.KeyEnd}, store.RangeOptions{})
			return err
		}},
	}
	for code, want := range map[int]error{
		fdbsim.TooOld: store.ErrTooOld, fdbsim.FutureVersion: store.ErrTooOld, fdbsim.ProcessBehind: store.ErrTooOld,
		fdbsim.ProxyMemory: store.ErrTooOld, fdbsim.Throttled: store.ErrTooOld, fdbsim.Locked: nil, fdbsim.TimedOut: nil, 4100: nil,
	} {
		for _, op := range ops {
			what := fmt.Sprint(op.op, " with ", code)
			try(t, c.Fail(op.op, 1, fdbsim.Fault{Code: code}))
			err := op.run()
			wantMeaning(t, what, want, err)
			if err != nil && !strings.Contains(err.Error(), fmt.Sprint(code)) {
				t.Errorf("%s: %q does not tell the code", what, err)
			}
			if err := op.run(); err != nil {
				t.Errorf("%s, and again: %v", what, err)
			}
		}
	}
}

// A process may start while the cluster lags behind.
func TestOpenOnBusyCluster(t *testing.T) {
	c := newCluster(t)
	for n, code := range []int{fdbsim.ProcessBehind, fdbsim.Throttled} {
		try(t, c.Fail(fdbsim.ReadVersion, n+1, fdbsim.Fault{Code: code}))
	}
	openOn(t, c, foundationdb.Options{}).Close()
	stats, err := c.Stats()
	try(t, err)
	if stats.Fired != 2 {
		t.Errorf("%d faults struck, want 2", stats.Fired)
	}
}

func TestCommitFaults(t *testing.T) {
	for _, tt := range []struct {
		fault fdbsim.Fault
		want  error
		made  int // of the two attempts
	}{
		{fdbsim.Fault{Code: fdbsim.NotCommitted}, store.ErrConflict, 1},
		{fdbsim.Fault{Code: fdbsim.TooOld}, store.ErrTooOld, 1},
		{fdbsim.Fault{Code: fdbsim.FutureVersion}, store.ErrTooOld, 1},
		{fdbsim.Fault{Code: fdbsim.ProcessBehind}, store.ErrTooOld, 1},
		{fdbsim.Fault{Code: fdbsim.ProxyMemory}, store.ErrTooOld, 1},
		{fdbsim.Fault{Code: fdbsim.TooLarge}, store.ErrTooLarge, 1},
		{fdbsim.Fault{Code: fdbsim.Locked}, nil, 1},
		{fdbsim.Fault{Code: fdbsim.UnknownResult}, store.ErrUnknown, 1},
		{fdbsim.Fault{Code: fdbsim.UnknownResult, Landing: fdbsim.Landed}, store.ErrUnknown, 2},
		{fdbsim.Fault{Code: fdbsim.TimedOut}, store.ErrUnknown, 1},
		{fdbsim.Fault{Code: fdbsim.TimedOut, Landing: fdbsim.Landed}, store.ErrUnknown, 2},
		{fdbsim.Fault{Code: fdbsim.ClusterVersionChanged, Landing: fdbsim.Landed}, store.ErrUnknown, 2},
		{fdbsim.Fault{Code: fdbsim.Cancelled, Landing: fdbsim.Landed}, store.ErrUnknown, 2},
		// An error that this version of the engine has never heard of.
		{fdbsim.Fault{Code: 4242, Landing: fdbsim.Landed}, store.ErrUnknown, 2},
	} {
		t.Run(fmt.Sprint(tt.fault.Code, " ", tt.fault.Landing), func(t *testing.T) {
			c := newCluster(t)
			e := openOn(t, c, foundationdb.Options{})
			defer e.Close()
			try(t, c.Fail(fdbsim.Commit, 1, tt.fault))
			wantMeaning(t, "the first attempt", tt.want, appendTo(t.Context(), e))
			stats, err := c.Stats()
			try(t, err)
			if stats.Commits != 1 {
				t.Errorf("the engine committed %d times for one call", stats.Commits)
			}
			if err := appendTo(t.Context(), e); err != nil {
				t.Errorf("the second attempt: %v", err)
			}
			if got := appended(t, e); got != tt.made {
				t.Errorf("%d of two attempts were made, want %d", got, tt.made)
			}
		})
	}
}

func TestLateCommits(t *testing.T) {
	late := fdbsim.Fault{Code: fdbsim.UnknownResult, Landing: fdbsim.Late}
	t.Run("on demand", func(t *testing.T) {
		c := newCluster(t)
		e := openOn(t, c, foundationdb.Options{})
		defer e.Close()
		try(t, c.Fail(fdbsim.Commit, 1, late))
		wantMeaning(t, "the commit", store.ErrUnknown, appendTo(t.Context(), e))
		if got := appended(t, e); got != 0 {
			t.Errorf("before it landed the store has %d, want 0", got)
		}
		landed, err := c.Land()
		try(t, err)
		if got := appended(t, e); got != 1 || landed != 1 {
			t.Errorf("after it landed the store has %d, and %d landed; want 1", got, landed)
		}
	})
	t.Run("too late", func(t *testing.T) {
		c := newCluster(t)
		e := openOn(t, c, foundationdb.Options{})
		defer e.Close()
		late.After = 2
		try(t, c.Fail(fdbsim.Commit, 1, late))
		wantMeaning(t, "the commit", store.ErrUnknown, appendTo(t.Context(), e))
		for range 3 {
			try(t, appendTo(t.Context(), e))
		}
		stats, err := c.Stats()
		try(t, err)
		if got := appended(t, e); got != 3 || stats.Late != 0 {
			t.Errorf("the store has %d and %d are on their way, want 3 and none: the late one conflicts", got, stats.Late)
		}
	})
}

func TestConflictTellsRange(t *testing.T) {
	e := openEmpty(t)
	defer e.Close()
	ctx := t.Context()
	v := version(t, e)
	_, err := e.Commit(ctx, &store.Commit{Ops: []store.Op{set("b", ""), set("h", "")}})
	try(t, err)
	for _, tt := range []struct {
		name  string
		reads []string // begin and end
		want  string
	}{
		{"the one lost of many", []string{"a", "b", "c", "g", "g", "i", "x", "z"}, "g"},
		{"a point", []string{"c", "d", "h", "h\x00"}, "h"},
		{"adjacent ones", []string{"h", "i", "a", "h"}, "a"},
		{"from the first key", []string{"", "z"}, ""},
	} {
		var reads []store.Range
		for i := 0; i < len(tt.reads); i += 2 {
			reads = append(reads, store.Range{Begin: []byte(tt.reads[i]), End: []byte(tt.reads[i+1])})
		}
		_, err := e.Commit(ctx, &store.Commit{Version: v, Reads: reads, Ops: []store.Op{set("k", "")}})
		var lost *store.ConflictError
		if !errors.As(err, &lost) {
			t.Errorf("%s: %v, want a ConflictError", tt.name, err)
		} else if string(lost.Range.Begin) != tt.want {
			t.Errorf("%s: lost the range from %q, want %q", tt.name, lost.Range.Begin, tt.want)
		}
	}
}

// TestClientLimit commits what is within the store's limit by its own count and
// over that of FoundationDB, which counts conflict ranges of writes, too.
func TestClientLimit(t *testing.T) {
	e := openEmpty(t)
	defer e.Close()
	var ops []store.Op
	for i := range 60_000 {
		ops = append(ops, set(fmt.Sprintf("%050d", i), strings.Repeat("v", 50)))
	}
	_, err := e.Commit(t.Context(), &store.Commit{Ops: ops})
	wantMeaning(t, "60,000 small writes", store.ErrTooLarge, err)
}

func TestTimeout(t *testing.T) {
	c := newCluster(t)
	e := openOn(t, c, foundationdb.Options{Timeout: 100 * time.Millisecond})
	defer e.Close()
	hang := fdbsim.Fault{Hang: true}
	for _, tt := range []struct {
		op   fdbsim.Op
		want error
	}{{fdbsim.ReadVersion, nil}, {fdbsim.Get, nil}, {fdbsim.Commit, store.ErrUnknown}} {
		try(t, c.Fail(tt.op, 1, hang))
		start := time.Now()
		wantMeaning(t, string(tt.op), tt.want, appendTo(t.Context(), e))
		if took := time.Since(start); took < 80*time.Millisecond || took > 5*time.Second {
			t.Errorf("%s that hangs took %s, want a little over 100ms", tt.op, took)
		}
	}
}

func TestCancel(t *testing.T) {
	c := newCluster(t)
	e := openOn(t, c, foundationdb.Options{})
	defer e.Close()
	v := version(t, e)
	for _, tt := range []struct {
		op  fdbsim.Op
		run func(ctx context.Context) error
	}{
		{fdbsim.ReadVersion, func(ctx context.Context) error { _, err := e.ReadVersion(ctx); return err }},
		{fdbsim.Get, func(ctx context.Context) error { _, _, err := e.Get(ctx, v, []byte("k")); return err }},
		{fdbsim.Range, func(ctx context.Context) error {
			_, _, err := e.Range(ctx, v, store.Range{End: store.KeyEnd}, store.RangeOptions{})
			return err
		}},
		{fdbsim.Commit, func(ctx context.Context) error {
			_, err := e.Commit(ctx, &store.Commit{Version: v, Ops: []store.Op{set("k", "")}})
			return err
		}},
	} {
		try(t, c.Fail(tt.op, 1, fdbsim.Fault{Hang: true}))
		cause := errors.New("given up")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
		err := tt.run(ctx)
		if !errors.Is(err, cause) {
			t.Errorf("%s that is cancelled: %v, want the cause", tt.op, err)
		}
		if got := errors.Is(err, store.ErrUnknown); got != (tt.op == fdbsim.Commit) {
			t.Errorf("%s that is cancelled: %v, unknown: %t", tt.op, err, got)
		}
		if err := tt.run(t.Context()); err != nil {
			t.Errorf("%s after one that was cancelled: %v", tt.op, err)
		}
	}
}
