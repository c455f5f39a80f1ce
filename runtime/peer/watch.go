package peer

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"
)

// watched is the parsed content of a file that may change.
type watched[T any] struct {
	name  string
	parse func(text []byte) (T, error)

	mu    sync.Mutex
	text  []byte
	value T
	read  time.Time // when it was compared with the file last
}

// rereadAfter is how old what was read of a file may be.
const rereadAfter = time.Second

// watch reads a file now, and again when it has changed.
func watch[T any](name string, parse func(text []byte) (T, error)) (*watched[T], error) {
	w := &watched[T]{name: name, parse: parse}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	value, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	w.text, w.value, w.read = text, value, time.Now()
	return w, nil
}

// get returns the content. A file that went away or became malformed leaves it as
// it was, so that a mistake in a rotation does not stop calls.
func (w *watched[T]) get() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.read) < rereadAfter {
		return w.value
	}
	w.read = time.Now()
	text, err := os.ReadFile(w.name)
	if err != nil || bytes.Equal(text, w.text) {
		return w.value
	}
	if value, err := w.parse(text); err == nil {
		w.text, w.value = text, value
	}
	return w.value
}
