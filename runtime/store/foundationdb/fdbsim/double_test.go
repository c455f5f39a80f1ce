//go:build foundationdb && fdbsim

package fdbsim_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/store/foundationdb/fdbsim"
)

// open returns a cluster and a database on it, both the test's own.
func open(t *testing.T) (*fdbsim.Cluster, fdb.Database) {
	t.Helper()
	c, err := fdbsim.New(t.TempDir())
	try(t, err)
	db, err := fdb.OpenDatabase(c.ClusterFile())
	try(t, err)
	t.Cleanup(func() {
		db.Close()
		try(t, c.Close())
	})
	return c, db
}

func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, db fdb.Database) fdb.Transaction {
	t.Helper()
	tr, err := db.CreateTransaction()
	try(t, err)
	return tr
}

// wantCode checks the code of an error; 0 is no error.
func wantCode(t *testing.T, what string, want int, err error) {
	t.Helper()
	var got fdb.Error
	if err != nil && !errors.As(err, &got) || got.Code != want {
		t.Errorf("%s: %v, want code %d", what, err, want)
	}
}

func get(t *testing.T, db fdb.Database, key string) string {
	t.Helper()
	value, err := begin(t, db).Get(fdb.Key(key)).Get()
	try(t, err)
	if value == nil {
		return "-"
	}
	return string(value)
}

// write commits what f writes, and returns the commit's version.
func write(t *testing.T, db fdb.Database, f func(tr fdb.Transaction)) int64 {
	t.Helper()
	tr := begin(t, db)
	f(tr)
	try(t, tr.Commit().Get())
	v, err := tr.GetCommittedVersion()
	try(t, err)
	return v
}

func TestAtomicOperations(t *testing.T) {
	_, db := open(t)
	for _, tt := range []struct {
		name               string
		op                 func(tr fdb.Transaction, key fdb.KeyConvertible, param []byte)
		old, operand, want string // "-" is absent
	}{
		{"add", fdb.Transaction.Add, "\xff\x01", "\x02\x00", "\x01\x02"},
		{"add to nothing", fdb.Transaction.Add, "-", "\x02\x00", "\x02\x00"},
		{"add cuts off", fdb.Transaction.Add, "\x01\x01\x01", "\x02", "\x03"},
		{"and", fdb.Transaction.BitAnd, "\x0f\x03", "\x05\x06", "\x05\x02"},
		{"and with nothing", fdb.Transaction.BitAnd, "-", "\x05", "\x05"},
		{"or", fdb.Transaction.BitOr, "\x01", "\x04\x02", "\x05\x02"},
		{"xor", fdb.Transaction.BitXor, "\x03", "\x01", "\x02"},
		{"append", fdb.Transaction.AppendIfFits, "ab", "cd", "abcd"},
		{"append too much", fdb.Transaction.AppendIfFits, "ab", strings.Repeat("c", 99_999), "ab"},
		{"max", fdb.Transaction.Max, "\x01\x02", "\x02\x01", "\x01\x02"},
		{"min", fdb.Transaction.Min, "\x01\x02", "\x02\x01", "\x02\x01"},
		{"min with nothing", fdb.Transaction.Min, "-", "\x02", "\x02"},
		{"byte max", fdb.Transaction.ByteMax, "\x01\x02", "\x02\x01", "\x02\x01"},
		{"byte min", fdb.Transaction.ByteMin, "\x01\x02", "\x02\x01", "\x01\x02"},
		{"compare and clear", fdb.Transaction.CompareAndClear, "ab", "ab", "-"},
		{"compare and keep", fdb.Transaction.CompareAndClear, "ab", "cd", "ab"},
	} {
		key := fdb.Key(tt.name)
		write(t, db, func(tr fdb.Transaction) {
			if tt.old != "-" {
				tr.Set(key, []byte(tt.old))
			}
			tt.op(tr, key, []byte(tt.operand))
		})
		if got := get(t, db, tt.name); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestKeySelectors(t *testing.T) {
	_, db := open(t)
	write(t, db, func(tr fdb.Transaction) {
		for _, key := range []string{"b", "d", "f"} {
			tr.Set(fdb.Key(key), nil)
		}
		tr.Set(fdb.Key("c"), nil)
		tr.Clear(fdb.Key("c"))
	})
	for _, tt := range []struct {
		selector fdb.KeySelector
		want     string
	}{
		{fdb.FirstGreaterOrEqual(fdb.Key("b")), "b"},
		{fdb.FirstGreaterThan(fdb.Key("b")), "d"},
		{fdb.LastLessOrEqual(fdb.Key("d")), "d"},
		{fdb.LastLessThan(fdb.Key("d")), "b"},
		{fdb.LastLessThan(fdb.Key("b")), ""},
		{fdb.FirstGreaterThan(fdb.Key("f")), "\xff"},
		{fdb.KeySelector{Key: fdb.Key("a"), Offset: 3}, "f"},
		{fdb.KeySelector{Key: fdb.Key("z"), Offset: -1}, "d"},
	} {
		got, err := begin(t, db).GetKey(tt.selector).Get()
		if err != nil || string(got) != tt.want {
			t.Errorf("%+v: %q, %v; want %q", tt.selector, got, err, tt.want)
		}
	}
}

func TestVersionstamps(t *testing.T) {
	c, db := open(t)
	const commits = 40
	stamps := make([]string, commits)
	var wg sync.WaitGroup
	for i := range commits {
		wg.Go(func() {
			tr, err := db.CreateTransaction()
			if err != nil {
				t.Error(err)
				return
			}
			tr.SetVersionstampedKey(fdb.Key("log/0123456789\x04\x00\x00\x00"), []byte("0123456789"))
			tr.SetVersionstampedValue(fdb.Key(fmt.Sprint("last/", i)), []byte("0123456789\x00\x00\x00\x00"))
			stamp := tr.GetVersionstamp()
			if err := tr.Commit().Get(); err != nil {
				t.Error(err)
			}
			got, err := stamp.Get()
			v, versionErr := tr.GetCommittedVersion()
			if err != nil || versionErr != nil || int64(binary.BigEndian.Uint64(got)) != v {
				t.Errorf("stamp %x, %v of a commit at version %d, %v", got, err, v, versionErr)
			}
			stamps[i] = string(got)
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for i, stamp := range stamps {
		seen[stamp] = true
		if got := get(t, db, fmt.Sprint("last/", i)); got != stamp {
			t.Errorf("stamped value %x, want %x", got, stamp)
		}
		if got := get(t, db, "log/"+stamp); got != "0123456789" {
			t.Errorf("at the stamped key: %q", got)
		}
	}
	if len(seen) != commits {
		t.Errorf("%d commits have %d stamps", commits, len(seen))
	}
	stats, err := c.Stats()
	try(t, err)
	if stats.Batches > stats.Commits {
		t.Errorf("%d batches of %d commits", stats.Batches, stats.Commits)
	}
}

// TestVersionRules checks what read versions the client and the cluster accept.
func TestVersionRules(t *testing.T) {
	c, db := open(t)
	v := write(t, db, func(tr fdb.Transaction) { tr.Set(fdb.Key("k"), []byte("1")) })
	at := func(version int64) error {
		tr := begin(t, db)
		tr.SetReadVersion(version)
		_, err := tr.Get(fdb.Key("k")).Get()
		return err
	}
	wantCode(t, "version 0", 2011, at(0))
	wantCode(t, "a version from far ahead", 1009, at(v+1_000_000_000))
	wantCode(t, "a version that was read", 0, at(v))
	stranger, err := fdb.OpenWithConnectionString(connectionString(t, c))
	try(t, err)
	defer stranger.Close()
	tr := begin(t, stranger)
	tr.SetReadVersion(v)
	_, err = tr.Get(fdb.Key("k")).Get()
	wantCode(t, "a version in a client that was given none", 1007, err)
	try(t, c.Advance(6*time.Second))
	wantCode(t, "an old version", 1007, at(v))
	tr = begin(t, db)
	tr.SetReadVersion(v)
	tr.Set(fdb.Key("blind"), nil)
	wantCode(t, "a blind write at an old version", 1007, tr.Commit().Get())
}

func connectionString(t *testing.T, c *fdbsim.Cluster) string {
	t.Helper()
	text, err := os.ReadFile(c.ClusterFile())
	try(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

func TestFrozenClock(t *testing.T) {
	c, db := open(t)
	try(t, c.Freeze())
	first, err := begin(t, db).GetReadVersion().Get()
	try(t, err)
	time.Sleep(5 * time.Millisecond)
	second, err := begin(t, db).GetReadVersion().Get()
	try(t, err)
	try(t, c.Advance(time.Second))
	third, err := begin(t, db).GetReadVersion().Get()
	try(t, err)
	if diff := cmp.Diff([]int64{first, first + 1_000_000}, []int64{second, third}); diff != "" {
		t.Errorf("versions of a frozen clock, and a second later (-want +got):\n%s", diff)
	}
	try(t, c.Run())
	time.Sleep(5 * time.Millisecond)
	if fourth, err := begin(t, db).GetReadVersion().Get(); err != nil || fourth <= third || fourth > third+1_000_000 {
		t.Errorf("the clock runs on from %d to %d, %v", third, fourth, err)
	}
}

// TestMisuse makes calls that the client has to refuse.
func TestMisuse(t *testing.T) {
	_, db := open(t)
	commit := func(f func(tr fdb.Transaction)) error {
		tr := begin(t, db)
		f(tr)
		return tr.Commit().Get()
	}
	set := func(key string, size int) func(fdb.Transaction) {
		return func(tr fdb.Transaction) { tr.Set(fdb.Key(key), make([]byte, size)) }
	}
	long := strings.Repeat("k", 10_000)
	wantCode(t, "the longest key", 0, commit(set(long, 1)))
	wantCode(t, "a longer key", 2102, commit(set(long+"k", 1)))
	wantCode(t, "the largest value", 0, commit(set("k", 100_000)))
	wantCode(t, "a larger value", 2103, commit(set("k", 100_001)))
	wantCode(t, "a system key", 2004, commit(set("\xff", 1)))
	wantCode(t, "a stamp beyond the key", 2000, commit(func(tr fdb.Transaction) {
		tr.SetVersionstampedKey(fdb.Key("0123456789\x01\x00\x00\x00"), nil)
	}))
	wantCode(t, "too much", 2101, commit(func(tr fdb.Transaction) {
		for i := range 101 {
			tr.Set(fdb.Key(fmt.Sprint(i)), make([]byte, 100_000))
		}
	}))
	tr := begin(t, db)
	wantCode(t, "an inverted conflict range", 2005, tr.AddReadConflictRange(fdb.KeyRange{Begin: fdb.Key("b"), End: fdb.Key("a")}))
	wantCode(t, "a conflict range of system keys", 2004, tr.AddReadConflictRange(fdb.KeyRange{Begin: fdb.Key("b"), End: fdb.Key("\xff\x01")}))
	wantCode(t, "an option that is not simulated", 2007, tr.Options().SetAccessSystemKeys())
	_, err := tr.GetRange(fdb.KeyRange{Begin: fdb.Key(""), End: fdb.Key("z")}, fdb.RangeOptions{Mode: fdb.StreamingModeExact}).GetSliceWithError()
	wantCode(t, "exact mode without a limit", 2210, err)
	tr.Set(fdb.Key("k"), nil)
	_, err = tr.Get(fdb.Key("k")).Get()
	wantCode(t, "a read after a write", 2108, err)
	try(t, tr.Commit().Get())
	_, err = tr.Get(fdb.Key("k")).Get()
	wantCode(t, "a read after a commit", 2017, err)
	tr.Reset()
	_, err = tr.Get(fdb.Key("k")).Get()
	wantCode(t, "a read after a reset", 0, err)
	tr.Cancel()
	_, err = tr.Get(fdb.Key("k")).Get()
	wantCode(t, "a read after a cancel", 1025, err)
	_, err = db.OpenTenant(fdb.Key("t"))
	wantCode(t, "a tenant", 2108, err)
	wantCode(t, "a watch", 2108, begin(t, db).Watch(fdb.Key("k")).Get())
}

// TestTransact runs the binding's own loop, with reads that conflict.
func TestTransact(t *testing.T) {
	c, db := open(t)
	try(t, c.Fail(fdbsim.Commit, 1, fdbsim.Fault{Code: fdbsim.UnknownResult}))
	try(t, c.Fail(fdbsim.Get, 2, fdbsim.Fault{Code: fdbsim.ProcessBehind}))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if _, err := db.Transact(func(tr fdb.Transaction) (any, error) {
					value, err := tr.Get(fdb.Key("n")).Get()
					tr.Set(fdb.Key("n"), append(value, 'x'))
					return nil, err
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := get(t, db, "n"); len(got) != 40 {
		t.Errorf("40 transactions left %d", len(got))
	}
}

// TestForgets looks that old versions do not pile up.
func TestForgets(t *testing.T) {
	c, db := open(t)
	for i := range 100 {
		write(t, db, func(tr fdb.Transaction) { tr.Set(fdb.Key(fmt.Sprint(i)), nil) })
	}
	write(t, db, func(tr fdb.Transaction) { tr.ClearRange(fdb.KeyRange{Begin: fdb.Key(""), End: fdb.Key("\xff")}) })
	try(t, c.Advance(6*time.Second))
	write(t, db, func(tr fdb.Transaction) { tr.Set(fdb.Key("k"), nil) })
	stats, err := c.Stats()
	try(t, err)
	if stats.Keys != 1 {
		t.Errorf("%d keys in memory, want 1", stats.Keys)
	}
}
