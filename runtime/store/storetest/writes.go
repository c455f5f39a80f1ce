package storetest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/onefold/onefold/runtime/store"
)

func little(n int64) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func add(key string, n int64) store.Op {
	return store.Op{Kind: store.Add, Key: []byte(key), Value: []byte(little(n))}
}

func testAdd(t *testing.T, c *client) {
	c.do(add("absent", 5))
	diff(t, "added to nothing", little(5), c.latest("absent"))
	c.do(add("absent", -7))
	diff(t, "added a negative number", little(-2), c.latest("absent"))
	c.do(set("max", little(math.MaxInt64)), add("max", 1))
	diff(t, "wrapped around", little(math.MinInt64), c.latest("max"))
	c.do(add("many", 1), add("many", 2), set("many", little(10)), add("many", 3), add("many", 4))
	diff(t, "added around a set", little(17), c.latest("many"))
	c.do(clearKey("many"), add("many", 1))
	diff(t, "added after a clear", little(1), c.latest("many"))
	c.do(clearRange("m", "n"), add("many", 2))
	diff(t, "added after a range clear", little(2), c.latest("many"))
	c.do(set("short", "\x01\x02"), add("short", 1))
	diff(t, "added to a short value", little(0x0202), c.latest("short"))
	c.do(set("long", little(1)+"tail"), add("long", 1))
	diff(t, "added to a long value", little(2), c.latest("long"))
}

func stamp(prefix, value string) store.Op {
	return store.Op{Kind: store.SetStamped, Key: []byte(prefix + strings.Repeat("?", store.StampSize)), Value: []byte(value)}
}

func touch(key string) store.Op { return store.Op{Kind: store.Touch, Key: []byte(key)} }

func testStamped(t *testing.T, c *client) {
	c.do(set("k", ""), stamp("log/", "1"), stamp("log/", "2"))
	v := c.do(stamp("log/", "3"))
	c.do(stamp("log/", "4"))
	read := c.readVersion()
	defer c.Release(read)
	kvs, _, err := c.Range(t.Context(), read, keys("log/", "log0"), store.RangeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, kv := range kvs {
		if len(kv.Key) != len("log/")+store.StampSize {
			t.Errorf("stamped key %q has the wrong length", kv.Key)
		}
		values = append(values, string(kv.Value))
	}
	diff(t, "stamped values in commit order", []string{"1", "2", "3", "4"}, values)
	if got := binary.BigEndian.Uint64(kvs[2].Key[len("log/"):]); store.Version(got) != v {
		t.Errorf("the stamp holds version %d, want the commit's, %d", got, v)
	}
	conflict := &store.Commit{Version: read, Reads: []store.Range{keys("log/", "log0")}, Ops: []store.Op{set("k", "x")}}
	c.do(stamp("log/", "5"))
	if _, err := c.Commit(t.Context(), conflict); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Commit after a range read missed a stamped key: %v, want ErrConflict", err)
	}
}

func testLimits(t *testing.T, c *client) {
	long := strings.Repeat("k", store.MaxKeySize)
	big := strings.Repeat("v", store.MaxValueSize)
	c.do(set(long, big))
	diff(t, "the largest value", true, c.latest(long) == big)
	var many []store.Op
	for i := range store.MaxCommitSize/store.MaxValueSize + 1 {
		many = append(many, set(fmt.Sprint("many", i), big))
	}
	for _, tt := range []struct {
		name string
		ops  []store.Op
	}{
		{"key", []store.Op{set("ok", ""), set(long+"k", "")}},
		{"value", []store.Op{set("ok", ""), set("k", big+"v")}},
		{"stamped value", []store.Op{set("ok", ""), stamp("k", big+"v")}},
		{"range", []store.Op{set("ok", ""), clearRange("k", long+"kk")}},
		{"commit", append(many, set("ok", ""))},
	} {
		if _, err := c.Commit(t.Context(), &store.Commit{Ops: tt.ops}); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("%s over the limit: %v, want ErrTooLarge", tt.name, err)
		}
	}
	for _, tt := range []struct {
		name string
		op   store.Op
	}{
		{"empty key", set("", "")},
		{"key of the engine", set("\xff", "")},
		{"range into the engine's keys", clearRange("a", "\xff\x00")},
		{"short operand", store.Op{Kind: store.Add, Key: []byte("k"), Value: []byte{1}}},
		{"no room for the stamp", store.Op{Kind: store.SetStamped, Key: []byte("k")}},
		{"unknown operation", store.Op{Kind: 99, Key: []byte("k")}},
	} {
		if _, err := c.Commit(t.Context(), &store.Commit{Ops: []store.Op{set("ok", ""), tt.op}}); err == nil {
			t.Errorf("%s: committed, want an error", tt.name)
		}
	}
	diff(t, "a key of the refused commits", "-", c.latest("ok"))
}

func testBigCommit(t *testing.T, c *client) {
	value := strings.Repeat("v", store.MaxValueSize)
	count := store.MaxCommitSize/store.MaxValueSize - 1
	var ops []store.Op
	for i := range count {
		ops = append(ops, set(fmt.Sprintf("big%03d", i), value))
	}
	c.do(ops...)
	pairs := c.all()
	if len(pairs) != count {
		t.Fatalf("a commit of %d keys left %d", count, len(pairs))
	}
	for i, pair := range pairs {
		if pair != fmt.Sprintf("big%03d=", i)+value {
			t.Errorf("key %d is damaged: %.20q", i, pair)
		}
	}
}

func testSlices(t *testing.T, c *client) {
	key, value, read := []byte("key"), []byte("value"), []byte("read")
	v := c.readVersion()
	defer c.Release(v)
	commit := &store.Commit{
		Version: v,
		Reads:   []store.Range{{Begin: read, End: []byte("reae")}},
		Ops: []store.Op{
			{Kind: store.Set, Key: key, Value: value},
			{Kind: store.ClearRange, Key: []byte("x"), Value: []byte("y")},
		},
	}
	if _, err := c.Commit(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{key, value, read, commit.Ops[1].Key, commit.Ops[1].Value} {
		clear(b)
	}
	diff(t, "after the caller reused its slices", []string{"key=value"}, c.all())
	conflicts := func(r store.Range) bool {
		_, err := c.Commit(t.Context(), &store.Commit{Version: v, Reads: []store.Range{r}, Ops: []store.Op{set("z", "")}})
		return errors.Is(err, store.ErrConflict)
	}
	diff(t, "conflict on the key set", true, conflicts(point("key")))
	diff(t, "conflict in the range cleared", true, conflicts(point("xx")))

	now := c.readVersion()
	defer c.Release(now)
	got, _, err := c.Get(t.Context(), now, []byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	clear(got)
	kvs, _, err := c.Range(t.Context(), now, keys("k", "l"), store.RangeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	clear(kvs[0].Key)
	clear(kvs[0].Value)
	diff(t, "after the caller wrote to a returned slice", "value", c.get(now, "key"))
}
