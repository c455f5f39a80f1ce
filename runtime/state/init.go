package state

import (
	"bytes"
	"crypto/rand"
	"maps"
	"slices"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// The initial value of a field is committed once, ever. meta/service/field says
// how far that is: nothing at first, then a claim of whoever writes it (an
// initial value may need several commits, and several processes may start at
// once), then initDone, in the last of the commits.
var initDone = []byte{1}

// claimSize is the length of a claim, all of it random.
const claimSize = 16

// initializing is the Init of a field under way.
type initializing struct {
	tx    *atomic.Tx
	meta  []byte
	claim []byte
}

// begin claims the field and clears what a claim before left of it. It returns
// nil if the field has its initial value.
func (f *field) begin(tx *atomic.Tx) *initializing {
	k := f.in(tx)
	if value, _ := tx.Get(k.meta); bytes.Equal(value, initDone) {
		return nil
	}
	in := &initializing{tx: tx, meta: k.meta, claim: make([]byte, claimSize)}
	rand.Read(in.claim) // never fails: it ends the process instead
	tx.Set(in.meta, in.claim)
	tx.Clear(k.root)
	tx.ClearRange(tuple.Range(k.root))
	return in
}

// step lets the Tx commit what was written so far. Each commit then depends on
// the claim, which a process that starts at the same time may have taken over.
func (in *initializing) step() {
	if !in.tx.Spill() {
		return
	}
	if value, _ := in.tx.Get(in.meta); !bytes.Equal(value, in.claim) {
		in.tx.Fail(store.ErrConflict)
	}
}

// end says that the field has its initial value.
func (in *initializing) end() { in.tx.Set(in.meta, initDone) }

// Init writes the field's initial value, unless that was done before.
func (f *MapField[K, V]) Init(tx *atomic.Tx, v map[K]V) {
	in := f.begin(tx)
	if in == nil {
		return
	}
	m := f.memory(tx)
	compare := func(a, b K) int { return bytes.Compare(f.key.Append(nil, a), f.key.Append(nil, b)) }
	for _, k := range slices.SortedFunc(maps.Keys(v), compare) {
		c := m.cell(k)
		c.set(v[k])
		c.flush()
		in.step()
	}
	in.end()
}

// Init writes the field's initial value, unless that was done before.
func (f *SliceField[V]) Init(tx *atomic.Tx, v []V) {
	in := f.begin(tx)
	if in == nil {
		return
	}
	m := f.memory(tx)
	for i, x := range v {
		c := m.add(i, m.key(i))
		c.set(x)
		c.flush()
		in.step()
	}
	m.length.loaded = true
	m.resize(len(v), v == nil)
	m.Flush()
	in.end()
}

// Init writes the field's initial value, unless that was done before.
func (f *ValueField[T]) Init(tx *atomic.Tx, v T) {
	in := f.begin(tx)
	if in == nil {
		return
	}
	c := f.memory(tx).add(struct{}{}, f.in(tx).root)
	c.set(v)
	c.flush()
	in.step()
	in.end()
}
