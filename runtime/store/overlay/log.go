package overlay

import "github.com/onefold/onefold/runtime/store"

// The functions here append operations to the log and keep the pending state
// in step. An operation is folded into an earlier one on the same key only
// behind o.frozen, where no mark and no fork can tell the difference. Keys and
// values belong to the overlay already.

// log appends an operation and returns its index.
func (o *Overlay) log(kind store.OpKind, key, value []byte) int {
	if o.ops == nil {
		o.ops = make([]store.Op, 0, 16)
	}
	o.ops = append(o.ops, store.Op{Kind: kind, Key: key, Value: value})
	o.size += len(key) + len(value)
	return len(o.ops) - 1
}

// rewrite logs an operation on e's key in place of e's last one if it may, and
// returns the operation's index. It must make the earlier one void.
func (o *Overlay) rewrite(e *entry, kind store.OpKind, key, value []byte) int {
	if e == nil || e.op < o.frozen {
		return o.log(kind, key, value)
	}
	op := &o.ops[e.op]
	o.size += len(value) - len(op.Value)
	op.Kind, op.Value = kind, value
	return e.op
}

func (o *Overlay) set(key, value []byte) {
	e := o.pending.find(key)
	o.update(e, entry{key: key, value: value, kind: known, op: o.rewrite(e, store.Set, key, value)})
}

func (o *Overlay) clear(key []byte) {
	e := o.pending.find(key)
	o.update(e, entry{key: key, kind: absent, op: o.rewrite(e, store.Clear, key, nil)})
}

// update stores next as its key's entry; e is the one there, if any.
func (o *Overlay) update(e *entry, next entry) {
	if e != nil {
		next.key = e.key
		*e = next
		return
	}
	o.pending.put(next)
}

func (o *Overlay) clearRange(begin, end []byte) {
	r := store.Range{Begin: begin, End: end}
	from, to := o.pending.span(r)
	for _, i := range o.pending.order[from:to] {
		if op := o.pending.entries[i].op; op >= o.frozen {
			o.size -= len(o.ops[op].Key) + len(o.ops[op].Value)
			o.ops[op] = store.Op{}
		}
	}
	o.pending.remove(r)
	o.pending.clear(r)
	o.log(store.ClearRange, begin, end)
}

func (o *Overlay) add(key, operand []byte) {
	e := o.pending.find(key)
	if e == nil {
		next := entry{key: key, value: operand, kind: adding}
		if o.pending.clears(key) {
			next.kind, next.inherited = known, o.own > 0
		}
		next.op = o.log(store.Add, key, operand)
		o.pending.put(next)
		return
	}
	e.value = store.AddLittleEndian(e.value, operand)
	if e.kind == absent {
		e.kind = known
	}
	e.op = o.foldAdd(e, operand)
}

// foldAdd logs the addition to e's key, whose new pending value e has already.
func (o *Overlay) foldAdd(e *entry, operand []byte) int {
	if e.op >= o.frozen {
		switch op := &o.ops[e.op]; op.Kind {
		case store.Add:
			op.Value = store.AddLittleEndian(op.Value, operand)
			return e.op
		case store.Set, store.Clear:
			return o.rewrite(e, store.Set, e.key, e.value)
		}
	}
	return o.log(store.Add, e.key, operand)
}

// apply appends op, whose slices belong to the overlay.
func (o *Overlay) apply(op store.Op) {
	switch op.Kind {
	case store.Set:
		o.set(op.Key, op.Value)
	case store.Clear:
		o.clear(op.Key)
	case store.ClearRange:
		o.clearRange(op.Key, op.Value)
	case store.Add:
		o.add(op.Key, op.Value)
	case store.SetStamped:
		o.log(op.Kind, op.Key, op.Value)
	case 0: // made void by a later operation
	default:
		panic("overlay: unknown operation")
	}
}

// replay rebuilds the pending state from ops, which become the log. They are
// all frozen, so that each takes the place in the log that it had.
func (o *Overlay) replay(ops []store.Op) {
	o.ops, o.pending = make([]store.Op, 0, len(ops)+8), pending{}
	o.replayAll(ops[:o.own])
	o.pending.inherit()
	o.size = 0
	o.replayAll(ops[o.own:])
}

func (o *Overlay) replayAll(ops []store.Op) {
	for _, op := range ops {
		if op.Kind == 0 {
			o.ops = append(o.ops, op)
			continue
		}
		o.apply(op)
	}
}

// inherit marks every entry as made before the fork.
func (p *pending) inherit() {
	for i := range p.entries {
		p.entries[i].inherited = true
	}
}
