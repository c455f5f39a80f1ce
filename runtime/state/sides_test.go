package state_test

import (
	"context"
	"maps"
	"slices"

	"github.com/onefold/onefold/onefoldtest/snapshot"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/state"
)

// plain is the plain side.
type plain struct {
	nodes  map[string]*node
	counts map[int]int
	items  map[string]item
	queue  []*node
	line   []item
	sum    int
	conf   node

	nodeLoops  loops[string]
	countLoops loops[int]
	itemLoops  loops[string]
}

func (s *plain) init() {
	*s = plain{
		nodes: map[string]*node{"a": {N: 1, Tags: []string{}}}, counts: map[int]int{-1: 7}, items: map[string]item{},
		queue: []*node{}, sum: 5, conf: node{Tags: []string{"c"}},
	}
}

func (s *plain) initInto(tx *atomic.Tx) {
	nodesField.Init(tx, s.nodes)
	countsField.Init(tx, s.counts)
	itemsField.Init(tx, s.items)
	queueField.Init(tx, s.queue)
	lineField.Init(tx, s.line)
	totalField.Init(tx, s.sum)
	configField.Init(tx, s.conf)
}

func cloneNode(n *node) *node {
	if n == nil {
		return nil
	}
	return &node{N: n.N, Next: cloneNode(n.Next), Tags: slices.Clone(n.Tags), meta: maps.Clone(n.meta)}
}

func cloneItem(v item) item { return item{v.Name, slices.Clone(v.Tags)} }

// clone returns a copy in which every place has objects of its own.
func (s *plain) clone() *plain {
	c := &plain{nodes: map[string]*node{}, counts: maps.Clone(s.counts), items: map[string]item{}, sum: s.sum, conf: *cloneNode(&s.conf)}
	for k, n := range s.nodes {
		c.nodes[k] = cloneNode(n)
	}
	for k, v := range s.items {
		c.items[k] = cloneItem(v)
	}
	if s.queue != nil {
		c.queue = []*node{}
	}
	for _, n := range s.queue {
		c.queue = append(c.queue, cloneNode(n))
	}
	if s.line != nil {
		c.line = []item{}
	}
	for _, v := range s.line {
		c.line = append(c.line, cloneItem(v))
	}
	return c
}

func (s *plain) dump() map[string]any {
	return map[string]any{
		"nodes": state.Generic(s.nodes), "counts": state.Generic(s.counts), "items": state.Generic(s.items),
		"queue": state.Generic(s.queue), "line": state.Generic(s.line), "total": state.Generic(s.sum), "config": state.Generic(s.conf),
	}
}

// shares reports whether an object is reachable twice.
func (s *plain) shares() bool {
	seen := map[*node]bool{}
	twice := false
	var visit func(n *node)
	visit = func(n *node) {
		if n == nil || twice {
			return
		}
		twice = twice || seen[n]
		seen[n] = true
		visit(n.Next)
	}
	for _, n := range s.nodes {
		visit(n)
	}
	for _, n := range s.queue {
		visit(n)
	}
	visit(s.conf.Next)
	return twice
}

func sortedKeys[K int | string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// loops are the ranges over a map under way, each with the keys that were added
// to the map since it began; nil for those that go on over a map that was replaced.
type loops[K comparable] []map[K]bool

// note notes that k is about to get a value in m.
func note[K comparable, V any](l loops[K], m map[K]V, k K) {
	if _, ok := m[k]; !ok {
		for _, added := range l {
			if added != nil {
				added[k] = true
			}
		}
	}
}

// replaced notes that the map is about to be replaced.
func (l loops[K]) replaced() { clear(l) }

// each is a range over a map in key order, as the language allows it: entries
// that are added on the way are passed by.
func each[K int | string, V any](l *loops[K], m map[K]V, f func(K, V) bool) {
	added := map[K]bool{}
	*l = append(*l, added)
	defer func() { *l = (*l)[:len(*l)-1] }()
	for _, k := range sortedKeys(m) {
		if v, ok := m[k]; ok && !added[k] && !f(k, v) {
			return
		}
	}
}

func (s *plain) nodeGet(k string) *node { return s.nodes[k] }
func (s *plain) nodeSet(k string, v *node) {
	note(s.nodeLoops, s.nodes, k)
	s.nodes[k] = v
}
func (s *plain) nodeLookup(k string) (*node, bool)   { v, ok := s.nodes[k]; return v, ok }
func (s *plain) nodeDelete(k string)                 { delete(s.nodes, k) }
func (s *plain) nodeClear()                          { clear(s.nodes) }
func (s *plain) nodeLen() int                        { return len(s.nodes) }
func (s *plain) nodeEach(f func(string, *node) bool) { each(&s.nodeLoops, s.nodes, f) }
func (s *plain) nodeAssign(m map[string]*node) {
	s.nodeLoops.replaced()
	s.nodes = m
}
func (s *plain) count(k int) (int, bool) { n, ok := s.counts[k]; return n, ok }
func (s *plain) countSet(k, n int) {
	note(s.countLoops, s.counts, k)
	s.counts[k] = n
}
func (s *plain) countClear()                        { clear(s.counts) }
func (s *plain) countAdd(k, n int)                  { s.countSet(k, s.counts[k]+n) }
func (s *plain) countUpdate(k int, f func(int) int) { s.countSet(k, f(s.counts[k])) }
func (s *plain) countDelete(k int)                  { delete(s.counts, k) }
func (s *plain) countEach(f func(int, int) bool)    { each(&s.countLoops, s.counts, f) }
func (s *plain) countLen() int                      { return len(s.counts) }
func (s *plain) itemGet(k string) item              { return s.items[k] }
func (s *plain) itemSet(k string, v item) {
	note(s.itemLoops, s.items, k)
	s.items[k] = v
}
func (s *plain) itemDelete(k string)                { delete(s.items, k) }
func (s *plain) itemEach(f func(string, item) bool) { each(&s.itemLoops, s.items, f) }
func (s *plain) queueAppend(v ...*node)             { s.queue = append(s.queue, v...) }
func (s *plain) queueGet(i int) *node               { return s.queue[i] }
func (s *plain) queueSet(i int, v *node)            { s.queue[i] = v }
func (s *plain) queueLen() int                      { return len(s.queue) }
func (s *plain) queueTruncate(n int)                { s.queue = s.queue[:n] }
func (s *plain) lineAppend(v ...item)               { s.line = append(s.line, v...) }
func (s *plain) lineGet(i int) item                 { return s.line[i] }
func (s *plain) lineSet(i int, v item)              { s.line[i] = v }
func (s *plain) lineRef(i int) *item                { return &s.line[i] }
func (s *plain) lineLen() int                       { return len(s.line) }
func (s *plain) lineIsNil() bool                    { return s.line == nil }
func (s *plain) lineTruncate(n int)                 { s.line = s.line[:n] }
func (s *plain) lineAssign(v []item)                { s.line = slices.Clone(v) }
func (s *plain) lineClear()                         { clear(s.line) }
func (s *plain) lineLoad() []item                   { return slices.Clone(s.line) }
func (s *plain) total() int                         { return s.sum }
func (s *plain) totalAdd(n int)                     { s.sum += n }
func (s *plain) totalSet(n int)                     { s.sum = n }
func (s *plain) config() node                       { return s.conf }
func (s *plain) configRef() *node                   { return &s.conf }

func (s *plain) queueEach(f func(int, *node) bool) {
	for i, v := range s.queue {
		if !f(i, v) {
			return
		}
	}
}

func (s *plain) lineEach(f func(int, item) bool) {
	for i, v := range s.line {
		if !f(i, v) {
			return
		}
	}
}

func (s *plain) savepoint(fn func() error) error {
	before := snapshot.Take(s)
	err := fn()
	if err != nil {
		before.Restore()
	}
	return err
}

func (s *plain) branches(fns ...func(fields) error) (first error) {
	for _, fn := range fns {
		if err := fn(s); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// handles is the compiled side.
type handles struct {
	b   *box
	ctx context.Context
}

func (h *handles) nodeGet(k string) *node            { return h.b.nodes.Get(k) }
func (h *handles) nodeSet(k string, v *node)         { h.b.nodes.Set(k, v) }
func (h *handles) nodeLookup(k string) (*node, bool) { return h.b.nodes.Lookup(k) }
func (h *handles) nodeDelete(k string)               { h.b.nodes.Delete(k) }
func (h *handles) nodeClear()                        { h.b.nodes.Clear() }
func (h *handles) nodeLen() int                      { return h.b.nodes.Len() }
func (h *handles) nodeAssign(m map[string]*node)     { h.b.nodes.Assign(m) }
func (h *handles) count(k int) (int, bool)           { return h.b.counts.Lookup(k) }
func (h *handles) countSet(k, n int)                 { h.b.counts.Set(k, n) }
func (h *handles) countAdd(k, n int)                 { h.b.counts.Add(k, n) }
func (h *handles) countClear()                       { h.b.counts.Clear() }
func (h *handles) countDelete(k int)                 { h.b.counts.Delete(k) }
func (h *handles) countLen() int                     { return h.b.counts.Len() }
func (h *handles) itemGet(k string) item             { return h.b.items.Get(k) }
func (h *handles) itemSet(k string, v item)          { h.b.items.Set(k, v) }
func (h *handles) itemDelete(k string)               { h.b.items.Delete(k) }
func (h *handles) queueAppend(v ...*node)            { h.b.queue.Append(v...) }
func (h *handles) queueGet(i int) *node              { return h.b.queue.Get(i) }
func (h *handles) queueSet(i int, v *node)           { h.b.queue.Set(i, v) }
func (h *handles) queueLen() int                     { return h.b.queue.Len() }
func (h *handles) queueTruncate(n int)               { h.b.queue.Truncate(n) }
func (h *handles) lineAppend(v ...item)              { h.b.line.Append(v...) }
func (h *handles) lineGet(i int) item                { return h.b.line.Get(i) }
func (h *handles) lineSet(i int, v item)             { h.b.line.Set(i, v) }
func (h *handles) lineRef(i int) *item               { return h.b.line.Ref(i) }
func (h *handles) lineLen() int                      { return h.b.line.Len() }
func (h *handles) lineIsNil() bool                   { return h.b.line.IsNil() }
func (h *handles) lineTruncate(n int)                { h.b.line.Truncate(n) }
func (h *handles) lineAssign(v []item)               { h.b.line.Assign(v) }
func (h *handles) lineClear()                        { h.b.line.Clear() }
func (h *handles) lineLoad() []item                  { return h.b.line.Load() }
func (h *handles) total() int                        { return h.b.total.Get() }
func (h *handles) totalAdd(n int)                    { h.b.total.Add(n) }
func (h *handles) totalSet(n int)                    { h.b.total.Set(n) }
func (h *handles) config() node                      { return h.b.config.Get() }
func (h *handles) configRef() *node                  { return h.b.config.Ref() }

func (h *handles) nodeEach(f func(string, *node) bool) { h.b.nodes.All()(f) }
func (h *handles) countEach(f func(int, int) bool)     { h.b.counts.All()(f) }
func (h *handles) itemEach(f func(string, item) bool)  { h.b.items.All()(f) }
func (h *handles) queueEach(f func(int, *node) bool)   { h.b.queue.All()(f) }
func (h *handles) lineEach(f func(int, item) bool)     { h.b.line.All()(f) }

func (h *handles) countUpdate(k int, f func(int) int) {
	n := h.b.counts.Ref(k)
	*n = f(*n)
}

func (h *handles) savepoint(fn func() error) error {
	return h.b.tx.Savepoint(h.ctx, func(context.Context) error { return fn() })
}

func (h *handles) branches(fns ...func(fields) error) error {
	g, ctx := atomic.WithContext(h.ctx, h.b.tx, bindBox)
	for _, fn := range fns {
		g.Go(func(b *box) error { return fn(&handles{b, ctx}) })
	}
	return g.Wait()
}
