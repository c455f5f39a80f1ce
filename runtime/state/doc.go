// Package state keeps the persistent fields of services: maps, slices and single
// values that live in the store and are used as if they were memory.
//
// A descriptor ([MapField], [SliceField], [ValueField]) is made once for each field;
// its In gives the handle ([Map], [Slice], [Value]) that a service instance has in one
// transaction. A handle loads each entry, element or value at its first use and
// keeps it as a live Go value for the rest of the transaction, so that aliasing works
// as in plain Go: a pointer, map or slice in a loaded value may be changed in place.
// What changed is found and written when the transaction commits, forks branches,
// opens a savepoint, or reads a range of the field.
//
// A handle is not for concurrent use. Copies of a handle stand for the same field.
package state
