package remote

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/wire"
)

func TestErrorsTravel(t *testing.T) {
	for _, err := range []error{
		store.ErrConflict, store.ErrTooOld, store.ErrFull, store.ErrClosed, store.ErrUnknown,
		fmt.Errorf("%w: 11 bytes", store.ErrTooLarge),
		fmt.Errorf("%w: %w", store.ErrUnknown, store.ErrFull),
		errors.New("disk on fire"),
	} {
		r := wire.NewReader(appendError(nil, err))
		got := failureOf(&r, statusOf(err))
		if got.Error() != err.Error() || statusOf(got) != statusOf(err) {
			t.Errorf("%v arrives as %v", err, got)
		}
	}
	lost := store.Point([]byte("k"))
	err := error(&store.ConflictError{Range: lost})
	r := wire.NewReader(appendError(nil, err))
	var got *store.ConflictError
	if !errors.As(failureOf(&r, statusOf(err)), &got) || cmp.Diff(lost, got.Range) != "" {
		t.Errorf("a conflict about %q arrives as %v", lost, got)
	}
}

// FuzzCommit decodes anything without harm, and what is a commit to the same bytes again.
func FuzzCommit(f *testing.F) {
	f.Add(appendCommit(nil, &store.Commit{
		Version: 300,
		Reads:   []store.Range{store.Point([]byte("k"))},
		Ops:     []store.Op{{Kind: store.Set, Key: []byte("k"), Value: []byte("v")}, {Kind: store.Clear, Key: []byte("l")}},
	}))
	f.Add([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReader(b)
		c, _ := commitOf(&r)
		if end(&r) != nil {
			return
		}
		again := wire.NewReader(appendCommit(nil, c))
		d, _ := commitOf(&again)
		if err := end(&again); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if diff := cmp.Diff(c, d); diff != "" {
			t.Errorf("%q (-first +second):\n%s", b, diff)
		}
	})
}
