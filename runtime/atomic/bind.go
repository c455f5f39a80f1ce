package atomic

// Key identifies a service in the instance table of a Tx. It is compared by
// address: one for each service, at package level.
type Key struct{ name string }

// NewKey returns the key of the service called name.
func NewKey(name string) *Key { return &Key{name: name} }

// String returns the service's name.
func (k *Key) String() string { return k.name }

// instance is a service as one Tx sees it.
type instance struct {
	key   *Key
	value any
}

// Bind returns tx's instance of the service that key stands for, which make
// builds when tx meets the service first.
func Bind[S any](tx *Tx, key *Key, make func(*Tx) S) S {
	for i := range tx.instances {
		if tx.instances[i].key == key {
			return tx.instances[i].value.(S)
		}
	}
	tx.check()
	s := make(tx)
	tx.instances = append(tx.instances, instance{key: key, value: s})
	return s
}

// A Tracked is the live memory of one persistent field within a Tx: package
// state implements it.
type Tracked interface {
	// Flush writes to the Tx what changed in memory since the last Flush.
	Flush()
	// Mark opens a savepoint; all is flushed.
	Mark()
	// Release closes the innermost savepoint and keeps what happened since.
	Release()
	// Rollback closes the innermost savepoint and puts the memory back to what
	// it was then, in place. The writes are rolled back already.
	Rollback()
	// Adopt takes over what child, the same field in a branch of this Tx, has in
	// memory. It reports false, having changed nothing that matters, if that
	// cannot be done without telling one object from another.
	Adopt(child Tracked) bool
	// Rebase makes the memory that of the field in tx, the parent of its Tx, which has none.
	Rebase(tx *Tx)
	// Places calls yield with every live place of a type that holds references.
	// It is called only if some field reports Changed.
	Places(yield func(Place))
	// Changed reports whether places may refer to other objects than those
	// that were loaded for them: through pointers or, if strict, in any way.
	Changed(strict bool) bool
}

type trackedField struct {
	field any // the descriptor
	live  Tracked
}

// Tracked returns the live memory of the field that a descriptor stands for, or nil.
func (tx *Tx) Tracked(field any) Tracked {
	for i := range tx.tracked {
		if tx.tracked[i].field == field {
			return tx.tracked[i].live
		}
	}
	return nil
}

// Track makes live the memory of the field that a descriptor stands for.
func (tx *Tx) Track(field any, live Tracked) {
	tx.check()
	tx.tracked = append(tx.tracked, trackedField{field: field, live: live})
	for range tx.depth {
		live.Mark()
	}
}

// flush writes all live memory to the overlay.
func (tx *Tx) flush() {
	for i := 0; i < len(tx.tracked); i++ {
		tx.tracked[i].live.Flush()
	}
}
