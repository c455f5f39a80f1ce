package peer

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/wire"
)

// TestErrorsTravel sends errors of methods there and back: their text, what they are
// and what they wrap must be the same.
func TestErrorsTravel(t *testing.T) {
	errFull, errHidden := errors.New("full"), errors.New("hidden")
	table := newErrorTable(&runtime.App{Services: []*runtime.Service{{
		Sentinels: []runtime.Sentinel{{Name: "hotel.ErrFull", Err: errFull}},
		Private:   []runtime.Sentinel{{Name: "hotel.errHidden", Err: errHidden}},
	}}})
	_, badNumber := strconv.Atoi("x")
	for _, err := range []error{
		nil, errFull, errHidden, io.EOF, badNumber, errors.New("text only"),
		fmt.Errorf("book: %w", errFull), errors.Join(errFull, fmt.Errorf("deep: %w", io.EOF)),
		fmt.Errorf("%w and %w", errHidden, badNumber),
	} {
		r := wire.NewReader(table.append(nil, err, 0))
		got := table.parse(&r, 0)
		if e := end(&r); e != nil {
			t.Errorf("%v: %v", err, e)
			continue
		}
		if fmt.Sprint(got) != fmt.Sprint(err) {
			t.Errorf("%v arrives as %v", err, got)
		}
		for _, target := range []error{errFull, errHidden, io.EOF, strconv.ErrSyntax} {
			if errors.Is(got, target) != errors.Is(err, target) {
				t.Errorf("%v: errors.Is(%v) is %t where it arrives", err, target, errors.Is(got, target))
			}
		}
		var number, want *strconv.NumError
		if errors.As(got, &number) != errors.As(err, &want) {
			t.Errorf("%v: errors.As finds %v where it arrives, %v before", err, number, want)
		}
		if (err == errFull || err == io.EOF) && got != err {
			t.Errorf("%v is another error where it arrives", err)
		}
	}
}

func TestFailuresTravel(t *testing.T) {
	for _, err := range []error{store.ErrTooOld, atomic.ErrUnreachable, errors.New("disk on fire")} {
		r := wire.NewReader(appendFailure(nil, fmt.Errorf("read: %w", err)))
		o := outcome(r.Byte())
		got := failureOf(&r, o)
		if got.Error() != "read: "+err.Error() || o != failed && !errors.Is(got, err) {
			t.Errorf("%v arrives as %v", err, got)
		}
	}
	r := wire.NewReader(appendFailure(nil, &atomic.PanicError{Value: "boom", Stack: []byte("stack")}))
	var p *atomic.PanicError
	if err := failureOf(&r, outcome(r.Byte())); !errors.As(err, &p) || p.Value != "boom" || string(p.Stack) != "stack" {
		t.Errorf("a panic arrives as %v", err)
	}
}

// FuzzCall reads anything without harm, and what is a call to the same call again.
func FuzzCall(f *testing.F) {
	now := time.Unix(1_700_000_000, 0)
	call := &atomic.Call{
		Args: []byte("args"), ID: atomic.ID{1, 2}, Path: "/1/2", Version: 77, ReadOnly: true, Sequential: true,
		Pending: []store.Op{{Kind: store.Set, Key: []byte("k"), Value: []byte("v")}},
		Context: atomic.CallerContext{Deadline: now.Add(time.Second), Ended: true},
	}
	f.Add(appendCall(nil, call, now))
	f.Add([]byte{wireVersion, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCall(b, now)
		if err != nil {
			return
		}
		again, err := parseCall(appendCall(nil, c, now), now)
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		c.Context.Deadline, again.Context.Deadline = time.Time{}, time.Time{} // a time that is left may overflow
		if diff := cmp.Diff(c, again); diff != "" {
			t.Errorf("%q (-first +second):\n%s", b, diff)
		}
	})
}
