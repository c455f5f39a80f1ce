package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/store"
)

// testCounter increments a counter from many clients and checks the order that
// strict serialisability asks for: no increment is lost, each acknowledged one
// is seen by whatever starts later, and versions order as the values do.
func testCounter(t *testing.T, c *client) {
	const clients, each = 8, 25
	type increment struct {
		version store.Version
		value   uint64
	}
	var mu sync.Mutex
	var done []increment
	var acknowledged atomic.Uint64
	parallel(t, clients, func(int) error {
		for range each {
			floor := acknowledged.Load()
			var value uint64
			v, err := c.transact(t.Context(), func(v store.Version) ([]store.Range, []store.Op, error) {
				raw, ok, err := c.Get(t.Context(), v, []byte("n"))
				value = 1
				if ok {
					value += binary.LittleEndian.Uint64(raw)
				}
				return []store.Range{point("n")}, []store.Op{set("n", little(int64(value)))}, err
			})
			if err != nil {
				return err
			}
			if value <= floor {
				return fmt.Errorf("wrote %d after %d was acknowledged", value, floor)
			}
			for {
				old := acknowledged.Load()
				if value <= old || acknowledged.CompareAndSwap(old, value) {
					break
				}
			}
			mu.Lock()
			done = append(done, increment{v, value})
			mu.Unlock()
		}
		return nil
	})
	diff(t, "the counter", little(clients*each), c.latest("n"))
	byValue := map[uint64]store.Version{}
	for _, d := range done {
		if _, twice := byValue[d.value]; twice {
			t.Errorf("value %d was written twice", d.value)
		}
		byValue[d.value] = d.version
	}
	for value := uint64(2); value <= clients*each; value++ {
		if byValue[value-1] >= byValue[value] {
			t.Errorf("value %d has version %d, its predecessor %d", value, byValue[value], byValue[value-1])
		}
	}
}

// transact runs f at fresh versions until its commit does not conflict, and
// returns the commit's version. f returns the reads and the writes.
func (c *client) transact(ctx context.Context, f func(v store.Version) ([]store.Range, []store.Op, error)) (store.Version, error) {
	for {
		v, err := c.ReadVersion(ctx)
		if err != nil {
			return 0, err
		}
		reads, ops, err := f(v)
		var committed store.Version
		if err == nil {
			committed, err = c.Commit(ctx, &store.Commit{Version: v, Reads: reads, Ops: ops})
		}
		c.Release(v)
		if !errors.Is(err, store.ErrConflict) {
			return committed, err
		}
	}
}

// parallel runs f as n clients and fails the test on the first error.
func parallel(t *testing.T, n int, f func(client int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := f(i); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func testConcurrentAdds(t *testing.T, c *client) {
	const clients, each = 8, 50
	parallel(t, clients, func(int) error {
		for range each {
			if _, err := c.Commit(t.Context(), &store.Commit{Ops: []store.Op{add("n", 1), add("m", -1)}}); err != nil {
				return err
			}
		}
		return nil
	})
	diff(t, "n", little(clients*each), c.latest("n"))
	diff(t, "m", little(-clients*each), c.latest("m"))
}

// testBank moves money between accounts while others check that none is lost:
// readers at one version, and writers that close and open accounts.
func testBank(t *testing.T, c *client) {
	const accounts, total = 10, 1000
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var ops []store.Op
	for i := range accounts {
		ops = append(ops, set(account(i), little(total/accounts)))
	}
	c.do(ops...)
	parallel(t, 6, func(client int) error {
		rng := rand.New(rand.NewPCG(seed, uint64(client)))
		for range 40 {
			var err error
			if client%3 == 0 {
				err = c.audit(t.Context(), total)
			} else {
				err = c.transfer(t.Context(), account(rng.IntN(accounts)), account(rng.IntN(accounts)), rng.Int64N(50))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := c.audit(t.Context(), total); err != nil {
		t.Error(err)
	}
}

func account(i int) string { return fmt.Sprintf("account/%02d", i) }

// transfer moves up to n from one account to another. An account that has
// nothing is removed, which range reads must notice.
func (c *client) transfer(ctx context.Context, from, to string, n int64) error {
	_, err := c.transact(ctx, func(v store.Version) ([]store.Range, []store.Op, error) {
		reads := []store.Range{point(from), point(to)}
		have, err := c.balance(ctx, v, from)
		if err != nil {
			return nil, nil, err
		}
		moved := min(n, have)
		rest, err := c.balance(ctx, v, to)
		if err != nil || from == to {
			return reads, nil, err
		}
		ops := []store.Op{set(from, little(have-moved)), set(to, little(rest+moved))}
		if have == moved {
			ops[0] = clearKey(from)
		}
		return reads, ops, nil
	})
	return err
}

func (c *client) balance(ctx context.Context, v store.Version, key string) (int64, error) {
	raw, ok, err := c.Get(ctx, v, []byte(key))
	if err != nil || !ok {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint64(raw)), nil
}

// audit checks the sum of all accounts, and notes it in a transaction that
// conflicts with every transfer.
func (c *client) audit(ctx context.Context, total int64) error {
	var sum int64
	_, err := c.transact(ctx, func(v store.Version) ([]store.Range, []store.Op, error) {
		all := keys("account/", "account0")
		kvs, _, err := c.Range(ctx, v, all, store.RangeOptions{})
		sum = 0
		for _, kv := range kvs {
			sum += int64(binary.LittleEndian.Uint64(kv.Value))
		}
		return []store.Range{all}, []store.Op{set("audited", little(sum))}, err
	})
	if err == nil && sum != total {
		return fmt.Errorf("the accounts hold %d, want %d", sum, total)
	}
	return err
}
