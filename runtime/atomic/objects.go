package atomic

import (
	"cmp"
	"fmt"
	"slices"
	"unsafe"
)

// An Object is memory that a persistent place refers to.
type Object struct {
	Addr    unsafe.Pointer
	Size    uintptr // bytes; 0 for a map, whose address only identifies it
	Pointee bool    // reached through a pointer, not by a slice or map
}

// A Place is a live value that is stored under one key.
type Place interface {
	// Place returns the place's name, as in "Hotel.rooms[a]".
	Place() string
	// Objects shows visit every object that the place refers to. It goes on
	// from an object to those that it refers to where visit returns true.
	Objects(visit func(Object) (descend bool))
}

// A SharedError says that one object is reachable from two persistent places, or
// twice from one: stored, it would become two.
type SharedError struct {
	First, Second string // the places, as in "Hotel.rooms[a]"
}

func (e *SharedError) Error() string {
	if e.First == e.Second {
		return fmt.Sprintf("%s holds the same object twice; store a copy the second time", e.First)
	}
	return fmt.Sprintf("%s and %s hold the same object; store a copy in one of them", e.First, e.Second)
}

// held is an object and the place that it was reached from.
type held struct {
	Object
	place Place
}

// shared returns a *SharedError if an object is reachable from the live places twice.
func (tx *Tx) shared() error {
	strict := tx.attempt.runner.opts.StrictAliases
	changed := false
	for i := range tx.tracked {
		changed = changed || tx.tracked[i].live.Changed(strict)
	}
	if !changed {
		return nil // what was loaded and not changed is apart
	}
	var objects []held
	var err error
	seen := map[Object]Place{}
	for i := range tx.tracked {
		tx.tracked[i].live.Places(func(p Place) {
			p.Objects(func(o Object) bool {
				first, again := seen[o]
				switch {
				case !again:
					seen[o] = p
					objects = append(objects, held{o, p})
				case err == nil && (o.Pointee || strict):
					err = &SharedError{First: first.Place(), Second: p.Place()}
				}
				return !again
			})
		})
	}
	if err != nil {
		return err
	}
	return overlapping(objects, strict)
}

// overlapping returns a *SharedError if two objects have memory in common: a
// pointer into a struct or slice that another place holds. Unless strict, one of
// them must be a pointee.
func overlapping(objects []held, strict bool) error {
	slices.SortFunc(objects, func(a, b held) int {
		return cmp.Or(cmp.Compare(uintptr(a.Addr), uintptr(b.Addr)), cmp.Compare(b.Size, a.Size))
	})
	for i := range objects {
		a := &objects[i]
		for j := i + 1; j < len(objects); j++ {
			b := &objects[j]
			if uintptr(b.Addr) >= uintptr(a.Addr)+a.Size {
				break
			}
			if strict || a.Pointee || b.Pointee {
				return &SharedError{First: a.place.Place(), Second: b.place.Place()}
			}
		}
	}
	return nil
}
