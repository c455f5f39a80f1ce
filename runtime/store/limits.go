package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// KeyBegin is the first key: the empty one is none.
var KeyBegin = []byte{0}

// KeyEnd is where the keys end: those from 0xff on are the engine's own, as in
// FoundationDB.
var KeyEnd = []byte{0xff}

// Compare orders keys as every engine does: as bytes.
func Compare(a, b []byte) int { return bytes.Compare(a, b) }

// AddLittleEndian returns what an Add of operand makes of old: the sum of two
// little-endian integers as long as operand, wrapping around. A shorter or
// absent old counts as extended by zeros, a longer one as cut off.
func AddLittleEndian(old, operand []byte) []byte {
	sum := make([]byte, len(operand))
	if len(old) == 8 && len(operand) == 8 {
		binary.LittleEndian.PutUint64(sum, binary.LittleEndian.Uint64(old)+binary.LittleEndian.Uint64(operand))
		return sum
	}
	carry := 0
	for i, b := range operand {
		carry += int(b)
		if i < len(old) {
			carry += int(old[i])
		}
		sum[i] = byte(carry)
		carry >>= 8
	}
	return sum
}

// Check reports whether every engine may be asked to commit c: its keys,
// values and total size within the limits, its operations well formed. The
// error wraps ErrTooLarge if the limits are at fault.
func (c *Commit) Check() error {
	stamps := 0
	for i := range c.Ops {
		op := &c.Ops[i]
		if err := op.check(); err != nil {
			return err
		}
		if op.Kind == SetStamped {
			stamps++
		}
	}
	if size := c.Size(); size > MaxCommitSize {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, MaxCommitSize)
	}
	if stamps > maxStamps {
		return fmt.Errorf("%w: %d stamped keys, at most %d", ErrTooLarge, stamps, maxStamps)
	}
	return nil
}

// Size returns the bytes of the commit's keys and values, conflict ranges
// included.
func (c *Commit) Size() int {
	size := 0
	for i := range c.Ops {
		size += len(c.Ops[i].Key) + len(c.Ops[i].Value)
	}
	for i := range c.Reads {
		size += len(c.Reads[i].Begin) + len(c.Reads[i].End)
	}
	return size
}

// maxStamps is how many keys of one commit the stamp's last two bytes tell apart.
const maxStamps = 1 << 16

func (op *Op) check() error {
	if len(op.Key) > MaxKeySize {
		return fmt.Errorf("%w: key of %d bytes, at most %d", ErrTooLarge, len(op.Key), MaxKeySize)
	}
	if op.Kind == ClearRange && Compare(op.Value, KeyEnd) > 0 || op.Kind != ClearRange && Compare(op.Key, KeyEnd) >= 0 {
		return fmt.Errorf("store: key %q is not below %q", op.Key, KeyEnd)
	}
	if op.Kind != ClearRange && len(op.Key) == 0 {
		return errors.New("store: empty key")
	}
	limit := MaxValueSize
	switch op.Kind {
	case Set, Clear:
	case Touch:
		limit = 0
	case ClearRange:
		limit = MaxKeySize + 1
	case Add:
		if len(op.Value) != 8 {
			return fmt.Errorf("store: add of %d bytes, want 8", len(op.Value))
		}
	case SetStamped:
		if len(op.Key) < StampSize {
			return fmt.Errorf("store: stamped key of %d bytes has no room for the stamp of %d", len(op.Key), StampSize)
		}
	default:
		return fmt.Errorf("store: unknown operation %d", op.Kind)
	}
	if len(op.Value) > limit {
		return fmt.Errorf("%w: value of %d bytes, at most %d", ErrTooLarge, len(op.Value), limit)
	}
	return nil
}
