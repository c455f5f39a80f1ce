package store_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/store"
)

func little(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

func TestAddLittleEndian(t *testing.T) {
	for _, tt := range []struct {
		name               string
		old, operand, want []byte
	}{
		{"absent", nil, little(7), little(7)},
		{"sum", little(1 << 40), little(1), little(1<<40 + 1)},
		{"wrap-around", little(math.MaxUint64), little(2), little(1)},
		{"negative", little(5), little(math.MaxUint64), little(4)},
		{"short old", []byte{0xff, 0xff}, little(1), little(1 << 16)},
		{"long old", append(little(5), 1, 2), little(1), little(6)},
		{"short operand", little(0x0102), []byte{1}, []byte{3}},
	} {
		if diff := cmp.Diff(tt.want, store.AddLittleEndian(tt.old, tt.operand)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestPoint(t *testing.T) {
	key := []byte("k")
	r := store.Point(key)
	key[0] = 'x'
	if diff := cmp.Diff(store.Range{Begin: []byte("k"), End: []byte("k\x00")}, r); diff != "" {
		t.Errorf("Point (-want +got):\n%s", diff)
	}
}
