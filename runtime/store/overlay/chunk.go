package overlay

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/onefold/onefold/runtime/store"
)

// A value above store.MaxValueSize is stored as a header under its own key
// and chunks under that key followed by one more tuple element, a versionstamp
// (a kind of element that no other key of ours ends with):
//
//	key               → headerMagic, chunk count (4 bytes), length (8 bytes)
//	key 0x33 mark i   → the i-th chunk, i counted from 1 in 2 bytes
//
// The mark holds a zero byte that is not followed by 0xff, so no string, byte
// string or integer of a tuple can contain it. A value that happens to look
// like a header is stored as one chunk.
//
// Whoever changes a chunked value writes or clears the header too, so the
// header alone carries the conflicts. A blind Set or Clear of a key that the
// transaction never read leaves the chunks of an earlier value behind; reads
// skip them, and the next ClearRange or chunked value takes them away.
const (
	headerMagic = "\xff\x00onefold chunks\x00"
	headerSize  = len(headerMagic) + 4 + 8
	chunkMark   = "\x33\xfe\xfe\xfe\xfe\xfe\x00\xfe\xfe\xfe\xfe"
	chunkSuffix = len(chunkMark) + 2
	maxChunks   = 255
)

// isHeader reports whether a stored value stands for chunks.
func isHeader(value []byte) bool {
	return len(value) == headerSize && string(value[:len(headerMagic)]) == headerMagic
}

// isChunk reports whether a stored key is that of a chunk.
func isChunk(key []byte) bool {
	n := len(key) - chunkSuffix
	return n >= 0 && key[n] == chunkMark[0] && string(key[n:n+len(chunkMark)]) == chunkMark &&
		key[len(key)-2] == 0 && key[len(key)-1] != 0
}

// chunkKey returns the key of the i-th chunk of key's value.
func chunkKey(key []byte, i int) []byte {
	k := make([]byte, 0, len(key)+chunkSuffix)
	k = append(append(k, key...), chunkMark...)
	return binary.BigEndian.AppendUint16(k, uint16(i))
}

// chunkRange returns the range of the chunks of key's value.
func chunkRange(key []byte) store.Range {
	return store.Range{Begin: chunkKey(key, 1), End: chunkKey(key, maxChunks+1)}
}

// assemble reads the chunks that header, the value of key, stands for.
func (o *Overlay) assemble(ctx context.Context, key, header []byte) ([]byte, error) {
	o.noteChunked(key)
	count := binary.BigEndian.Uint32(header[len(headerMagic):])
	size := binary.BigEndian.Uint64(header[len(headerMagic)+4:])
	o.stats.Ranges++
	kvs, _, err := o.engine.Range(ctx, o.version, chunkRange(key), store.RangeOptions{})
	if err != nil {
		return nil, err
	}
	var value []byte
	for i, kv := range kvs {
		if uint32(i) < count {
			value = append(value, kv.Value...)
		}
	}
	if uint32(len(kvs)) < count || uint64(len(value)) != size {
		return nil, fmt.Errorf("overlay: value of key %q is damaged: %d bytes in %d chunks, want %d in %d",
			key, len(value), len(kvs), size, count)
	}
	return value, nil
}

// noteChunked remembers that the stored value of key has chunks, which go when
// the key is written.
func (o *Overlay) noteChunked(key []byte) {
	if o.chunked == nil {
		o.chunked = map[string]struct{}{}
	}
	o.chunked[string(key)] = struct{}{}
}

// physical returns ops with large values in chunks.
func (o *Overlay) physical(ops []store.Op) []store.Op {
	if o.chunked == nil && !anyLarge(ops) {
		return ops
	}
	out := make([]store.Op, 0, len(ops)+8)
	for _, op := range ops {
		_, had := o.chunked[string(op.Key)]
		switch {
		case op.Kind == store.Set && large(op.Value):
			out = appendChunks(out, op)
		case had && (op.Kind == store.Set || op.Kind == store.Clear):
			r := chunkRange(op.Key)
			out = append(out, store.Op{Kind: store.ClearRange, Key: r.Begin, Value: r.End}, op)
		default:
			out = append(out, op)
		}
	}
	return out
}

func anyLarge(ops []store.Op) bool {
	for i := range ops {
		if ops[i].Kind == store.Set && large(ops[i].Value) {
			return true
		}
	}
	return false
}

// large reports whether a value cannot be stored under one key as it is.
func large(value []byte) bool {
	return len(value) > store.MaxValueSize || isHeader(value)
}

// appendChunks appends the operations that store a large value.
func appendChunks(out []store.Op, op store.Op) []store.Op {
	r := chunkRange(op.Key)
	out = append(out, store.Op{Kind: store.ClearRange, Key: r.Begin, Value: r.End})
	rest, count := op.Value, 0
	for len(rest) > 0 {
		n := min(len(rest), store.MaxValueSize)
		count++
		out = append(out, store.Op{Kind: store.Set, Key: chunkKey(op.Key, count), Value: rest[:n]})
		rest = rest[n:]
	}
	var header bytes.Buffer
	header.WriteString(headerMagic)
	header.Write(binary.BigEndian.AppendUint32(nil, uint32(count)))
	header.Write(binary.BigEndian.AppendUint64(nil, uint64(len(op.Value))))
	return append(out, store.Op{Kind: store.Set, Key: op.Key, Value: header.Bytes()})
}
