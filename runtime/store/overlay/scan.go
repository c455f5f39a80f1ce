package overlay

import (
	"bytes"
	"context"

	"github.com/onefold/onefold/runtime/store"
)

// Range returns the keys of r in order, up to the limit, pending operations
// included. more reports that the limit was reached, so that there may be
// further keys. What was observed is a conflict of the commit: all of r, or
// where the limit cut it short the part up to the last key returned.
func (o *Overlay) Range(ctx context.Context, r store.Range, opts store.RangeOptions) (kvs []store.KV, more bool, err error) {
	return o.scan(ctx, r, opts, true)
}

// SnapshotRange is Range without a read conflict.
func (o *Overlay) SnapshotRange(ctx context.Context, r store.Range, opts store.RangeOptions) (kvs []store.KV, more bool, err error) {
	return o.scan(ctx, r, opts, false)
}

func (o *Overlay) scan(ctx context.Context, r store.Range, opts store.RangeOptions, record bool) ([]store.KV, bool, error) {
	if bytes.Compare(r.Begin, r.End) >= 0 {
		return nil, false, nil
	}
	s := scanner{Overlay: o, opts: opts, record: record && !o.reader}
	segments := o.pending.segments(r)
	for i := range segments {
		seg := segments[i]
		if opts.Reverse {
			seg = segments[len(segments)-1-i]
		}
		if err := s.segment(ctx, seg); err != nil {
			return nil, false, err
		}
		if s.full() {
			return s.out, true, nil
		}
	}
	return s.out, false, nil
}

// segment is a part of a range that was cleared as a whole, or not at all.
type segment struct {
	store.Range
	cleared bool
}

// segments cuts r where cleared ranges begin and end.
func (p *pending) segments(r store.Range) []segment {
	var segs []segment
	at := r.Begin
	for i := p.firstClear(r.Begin); i < len(p.cleared); i++ {
		c := p.cleared[i]
		if bytes.Compare(c.Begin, r.End) >= 0 {
			break
		}
		if bytes.Compare(at, c.Begin) < 0 {
			segs = append(segs, segment{Range: store.Range{Begin: at, End: c.Begin}})
			at = c.Begin
		}
		end := c.End
		if bytes.Compare(end, r.End) > 0 {
			end = r.End
		}
		segs = append(segs, segment{Range: store.Range{Begin: at, End: end}, cleared: true})
		at = end
	}
	if bytes.Compare(at, r.End) < 0 {
		segs = append(segs, segment{Range: store.Range{Begin: at, End: r.End}})
	}
	return segs
}

// scanner is one range read under way.
type scanner struct {
	*Overlay
	opts   store.RangeOptions
	record bool
	out    []store.KV
}

func (s *scanner) full() bool { return s.opts.Limit > 0 && len(s.out) >= s.opts.Limit }

// segment appends the keys of one segment.
func (s *scanner) segment(ctx context.Context, seg segment) error {
	if seg.cleared {
		if err := s.merge(ctx, seg.Range, nil); err != nil {
			return err
		}
		if s.record && s.parent != nil {
			s.seen.add(s.observed(seg.Range))
		}
		return nil
	}
	rest := seg.Range
	for bytes.Compare(rest.Begin, rest.End) < 0 {
		page, more, err := s.page(ctx, rest)
		if err != nil {
			return err
		}
		covered := rest
		if more && s.opts.Reverse {
			covered.Begin, rest.End = page[len(page)-1].Key, page[len(page)-1].Key
		} else if more {
			covered.End = after(page[len(page)-1].Key)
			rest.Begin = covered.End
		} else {
			rest.Begin = rest.End
		}
		if err := s.merge(ctx, covered, page); err != nil {
			return err
		}
		if s.record {
			s.reads.add(s.observed(covered))
		}
		if s.full() {
			return nil
		}
	}
	return nil
}

// maxHidden bounds what a page reads beyond the limit.
const maxHidden = 64

// page reads from the engine as many keys as may be needed of r.
func (s *scanner) page(ctx context.Context, r store.Range) ([]store.KV, bool, error) {
	opts := s.opts
	if opts.Limit > 0 {
		// Pending operations may hide keys: ask for as many more.
		from, to := s.pending.span(r)
		opts.Limit += min(to-from, maxHidden) - len(s.out)
	}
	s.stats.Ranges++
	page, more, err := s.engine.Range(ctx, s.version, r, opts)
	return page, more && len(page) > 0, err
}

// observed returns the part of r that the scan has looked at: all of it, or up
// to the last key returned if that filled the limit.
func (s *scanner) observed(r store.Range) store.Range {
	r = store.Range{Begin: s.arena.copy(r.Begin), End: s.arena.copy(r.End)}
	if !s.full() {
		return r
	}
	last := s.out[len(s.out)-1].Key
	if s.opts.Reverse {
		r.Begin = last
	} else {
		r.End = after(last)
	}
	return r
}

// merge appends the keys of r in order: those of page, which are all that the
// base has in r, under the pending entries.
func (s *scanner) merge(ctx context.Context, r store.Range, page []store.KV) error {
	from, to := s.pending.span(r)
	for !s.full() && (len(page) > 0 || from < to) {
		var e *entry
		if from < to {
			e = s.nextEntry(from, to)
		}
		order := s.compare(e, page)
		var base *store.KV
		if order <= 0 {
			base, page = &page[0], page[1:]
		}
		if order >= 0 {
			if s.opts.Reverse {
				to--
			} else {
				from++
			}
		} else {
			e = nil
		}
		if err := s.emit(ctx, base, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) nextEntry(from, to int) *entry {
	if s.opts.Reverse {
		return &s.pending.entries[s.pending.order[to-1]]
	}
	return &s.pending.entries[s.pending.order[from]]
}

// compare tells which comes next: the base's key (-1), the entry (1), or both,
// being the same key (0).
func (s *scanner) compare(e *entry, page []store.KV) int {
	switch {
	case e == nil:
		return -1
	case len(page) == 0:
		return 1
	}
	c := bytes.Compare(page[0].Key, e.key)
	if s.opts.Reverse {
		return -c
	}
	return c
}

// emit appends one key as base and entry, either of which may be nil, make it.
func (s *scanner) emit(ctx context.Context, base *store.KV, e *entry) error {
	if e != nil && e.kind != adding {
		if e.kind == known {
			s.out = append(s.out, store.KV{Key: e.key, Value: e.value})
		}
		return nil
	}
	if base == nil {
		s.out = append(s.out, store.KV{Key: e.key, Value: e.value})
		return nil
	}
	if isChunk(base.Key) {
		return nil
	}
	kv := *base
	if isHeader(kv.Value) {
		value, err := s.assemble(ctx, kv.Key, kv.Value)
		if err != nil {
			return err
		}
		kv.Value = value
	}
	if e != nil {
		kv.Value = store.AddLittleEndian(kv.Value, e.value)
	}
	s.out = append(s.out, kv)
	return nil
}

// after returns the first key after key.
func after(key []byte) []byte {
	next := make([]byte, len(key)+1)
	copy(next, key)
	return next
}
