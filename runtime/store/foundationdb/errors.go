//go:build foundationdb

package foundationdb

import (
	"errors"
	"fmt"

	"github.com/apple/foundationdb/bindings/go/src/fdb"

	"github.com/onefold/onefold/runtime/store"
)

// failures says what the errors are that prove that nothing was committed. Any
// other error of a commit is store.ErrUnknown.
//
// The transient ones of the read path are store.ErrTooOld as well: what helps is
// the same, to start again at a fresh version, after a while.
var failures = map[int]error{
	1007: store.ErrTooOld,   // transaction_too_old
	1009: store.ErrTooOld,   // future_version: the storage servers lag behind
	1020: store.ErrConflict, // not_committed
	1037: store.ErrTooOld,   // process_behind
	1038: errUnavailable,    // database_locked
	1042: store.ErrTooOld,   // commit_proxy_memory_limit_exceeded
	1051: store.ErrTooOld,   // batch_transaction_throttled
	1078: store.ErrTooOld,   // grv_proxy_memory_limit_exceeded
	1213: store.ErrTooOld,   // tag_throttled
	1223: store.ErrTooOld,   // proxy_tag_throttled
	1235: store.ErrTooOld,   // transaction_throttled_hot_shard
	1242: errUnavailable,    // transaction_rejected_range_locked
	2004: errInvalid,        // key_outside_legal_range
	2005: errInvalid,        // inverted_range
	2011: errInvalid,        // version_invalid
	2018: errInvalid,        // invalid_mutation_type
	2101: store.ErrTooLarge, // transaction_too_large
	2102: store.ErrTooLarge, // key_too_large
	2103: store.ErrTooLarge, // value_too_large
}

// Errors that have no meaning to the runtime beyond their text.
var (
	errUnavailable = errors.New("foundationdb: the cluster takes no commits")
	errInvalid     = errors.New("foundationdb: the client refused the operation")
)

// cancelled is the error of an operation that was given up because of its context.
type cancelled struct{ cause error }

func (c *cancelled) Error() string { return c.cause.Error() }
func (c *cancelled) Unwrap() error { return c.cause }

// readError is what a failed read means to the engine's callers.
func readError(what string, err error) error {
	var given *cancelled
	if errors.As(err, &given) {
		return given.cause
	}
	if meaning := meaningOf(err); meaning != nil {
		return fmt.Errorf("%w: %s: %w", meaning, what, err)
	}
	return fmt.Errorf("foundationdb: %s: %w", what, err)
}

// commitError is what a failed commit means to the engine's callers. Whatever
// does not prove that nothing was committed is unknown: commit_unknown_result
// (1021), transaction_timed_out (1031), cluster_version_changed (1039), a
// cancelled commit (1025, 1101), and all that this version does not know.
func commitError(err error) error {
	if meaning := meaningOf(err); meaning != nil {
		return fmt.Errorf("%w: %w", meaning, err)
	}
	return fmt.Errorf("%w: %w", store.ErrUnknown, err)
}

// meaningOf looks err up in failures.
func meaningOf(err error) error {
	var code fdb.Error
	if errors.As(err, &code) {
		return failures[code.Code]
	}
	return nil
}
