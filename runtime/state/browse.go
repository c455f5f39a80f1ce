package state

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/onefold/onefold/runtime/atomic"
)

// A Window says which rows of a field to browse; the zero value is the first ones.
type Window struct {
	// Key asks for one row alone: the key as text, or as JSON where keys are
	// no strings or integers.
	Key *string
	// From is the key to begin at, in the same form.
	From string
	// Cursor goes on where an earlier page ended.
	Cursor string
	// Limit is how many rows there are at most. Default 100.
	Limit int
}

// A Row is one entry of a map, one element of a slice, or a single value, in
// generic form: see [Generic]. A single value has a nil key.
type Row struct{ Key, Value any }

// Rows is one page of a field, in the order of its keys.
type Rows struct {
	List []Row
	Next string // cursor of the next page, empty at the end
}

// A KeyError says that a key or a cursor is none of the field.
type KeyError struct {
	Field, Key string
	Err        error
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("%q is no key of %s: %v", e.Key, e.Field, e.Err)
}

// Unwrap returns the reason.
func (e *KeyError) Unwrap() error { return e.Err }

func (f *field) keyError(key string, err error) error {
	return &KeyError{Field: f.String(), Key: key, Err: err}
}

func (w *Window) limit() int {
	if w.Limit <= 0 {
		return 100
	}
	return w.Limit
}

// Type returns the field's Go type.
func (f *MapField[K, V]) Type() string { return reflect.TypeFor[map[K]V]().String() }

// Type returns the field's Go type.
func (f *SliceField[V]) Type() string { return reflect.TypeFor[[]V]().String() }

// Type returns the field's Go type.
func (f *ValueField[T]) Type() string { return reflect.TypeFor[T]().String() }

// Browse returns some of the entries. Its error is a *[KeyError].
func (f *MapField[K, V]) Browse(tx *atomic.Tx, w Window) (rows Rows, err error) {
	m := f.In(tx)
	if w.Key != nil {
		k, err := f.parseKey(*w.Key)
		if err != nil {
			return rows, f.keyError(*w.Key, err)
		}
		if v, ok := m.Lookup(k); ok {
			rows.List = []Row{{Generic(k), Generic(v)}}
		}
		return rows, nil
	}
	root := f.in(tx).root
	begin := bytes.Clone(root)
	switch {
	case w.Cursor != "":
		rest, err := hex.DecodeString(w.Cursor)
		if err != nil {
			return rows, f.keyError(w.Cursor, err)
		}
		begin = append(begin, rest...)
	case w.From != "":
		k, err := f.parseKey(w.From)
		if err != nil {
			return rows, f.keyError(w.From, err)
		}
		begin = f.key.Append(begin, k)
	}
	m.memory().loopFrom(begin, func(c *cell[K, V]) bool {
		if len(rows.List) == w.limit() {
			rows.Next = hex.EncodeToString(c.key[len(root):])
			return false
		}
		rows.List = append(rows.List, Row{Generic(c.at), Generic(c.get())})
		return true
	})
	return rows, nil
}

// parseKey reads a key that somebody typed.
func (f *MapField[K, V]) parseKey(text string) (k K, err error) {
	if f.key.ParseText != nil {
		return f.key.ParseText(text)
	}
	return k, f.key.Value.ParseJSON([]byte(text), &k)
}

// Browse returns some of the elements, whose keys are their indexes. Its error
// is a *[KeyError].
func (f *SliceField[V]) Browse(tx *atomic.Tx, w Window) (rows Rows, err error) {
	s := f.In(tx)
	text, limit := cmp.Or(w.Cursor, w.From, "0"), w.limit()
	if w.Key != nil {
		text, limit = *w.Key, 1
	}
	begin, err := strconv.Atoi(text)
	if err != nil || begin < 0 {
		return rows, f.keyError(text, errors.New("want an index"))
	}
	n := s.Len()
	for i := begin; i < n && i-begin < limit; i++ {
		rows.List = append(rows.List, Row{int64(i), Generic(s.Get(i))})
	}
	if w.Key == nil && begin < n-limit {
		rows.Next = strconv.Itoa(begin + limit)
	}
	return rows, nil
}

// Browse returns the value. Its error is a *[KeyError].
func (f *ValueField[T]) Browse(tx *atomic.Tx, w Window) (Rows, error) {
	if w.Key != nil {
		return Rows{}, f.keyError(*w.Key, errors.New("the field is a single value"))
	}
	v := f.In(tx)
	return Rows{List: []Row{{nil, Generic(v.Get())}}}, nil
}
