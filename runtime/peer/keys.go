package peer

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// minKey is the length of the shortest key, in bytes.
const minKey = 16

// Keys are what a process shows to those it calls, and accepts from those that call it;
// nil is none, with which everything is accepted.
type Keys struct {
	// files are by what they are for: Frontend.Hotel for calls of Hotel by Frontend, store
	// for the store server, and everything where there is only one.
	files map[string]*watched[[]string]
}

// Names of files, beside those of a caller and a callee.
const (
	everything = ""
	storeFile  = "store"
)

// OpenKeys reads a file of keys for everything, or a folder of files that each are
// for something. A file has one key a line; empty lines do not count.
func OpenKeys(name string) (*Keys, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	k := &Keys{files: map[string]*watched[[]string]{}}
	if !info.IsDir() {
		k.files[everything], err = watch(name, parseKeys)
		return k, err
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue // where Kubernetes keeps versions of a secret
		}
		k.files[e.Name()], err = watch(filepath.Join(name, e.Name()), parseKeys)
		errs = append(errs, err)
	}
	return k, errors.Join(errs...)
}

// check finds files that are for nothing. A program that holds a part of the application
// does not know all its callers.
func (k *Keys) check(services []string) error {
	for _, name := range slices.Sorted(maps.Keys(k.files)) {
		caller, callee, pair := strings.Cut(name, ".")
		if name == everything || name == storeFile || pair && (slices.Contains(services, caller) || slices.Contains(services, callee)) {
			continue
		}
		return fmt.Errorf("%s is for nothing: want files Caller.Callee, of services of the application, and %s", name, storeFile)
	}
	return nil
}

func parseKeys(text []byte) ([]string, error) {
	var keys []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if len(line) < minKey {
			return nil, fmt.Errorf("key %d has %d bytes; want at least %d", len(keys)+1, len(line), minKey)
		}
		keys = append(keys, line)
	}
	if len(keys) == 0 {
		return nil, errors.New("no keys; want one a line")
	}
	return keys, nil
}

// file returns the keys for a purpose, nil without any.
func (k *Keys) file(purpose string) *watched[[]string] {
	if k == nil {
		return nil
	}
	if file := k.files[everything]; file != nil {
		return file
	}
	return k.files[purpose]
}

// Show returns the key that a process with these services shows when it calls callee,
// "" without one.
func (k *Keys) Show(services []string, callee string) string {
	for _, caller := range services {
		if file := k.file(caller + "." + callee); file != nil {
			return file.get()[0]
		}
	}
	return ""
}

// ShowStore returns the key to show to the store server, "" without one.
func (k *Keys) ShowStore() string {
	if file := k.file(storeFile); file != nil {
		return file.get()[0]
	}
	return ""
}

// Accept reports whether somebody who shows this key may call a service.
func (k *Keys) Accept(callee, shown string) bool {
	if k == nil {
		return true
	}
	ok := false
	for name, file := range k.files {
		if _, of, pair := strings.Cut(name, "."); name == everything || pair && of == callee {
			ok = among(file.get(), shown) || ok
		}
	}
	return ok
}

// AcceptStore reports whether somebody who shows this key may use the store server.
func (k *Keys) AcceptStore(shown string) bool {
	file := k.file(storeFile)
	return k == nil || file != nil && among(file.get(), shown)
}

// among reports whether shown is one of keys, in a time that does not tell how much of
// it is right.
func among(keys []string, shown string) bool {
	sum, ok := sha256.Sum256([]byte(shown)), 0
	for _, key := range keys {
		want := sha256.Sum256([]byte(key))
		ok |= subtle.ConstantTimeCompare(sum[:], want[:])
	}
	return ok == 1
}
