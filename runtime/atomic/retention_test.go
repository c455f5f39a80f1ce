package atomic_test

import (
	"errors"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
)

// at returns a runner whose clock stands at *now.
func at(t *testing.T, now *time.Time) (*atomic.Runner, func() int) {
	engine := openEngine(t)
	r := atomic.NewRunner(engine, atomic.Options{Now: func() time.Time { return *now }})
	return r, func() int { return records(t, engine) }
}

const day = 24 * time.Hour

func TestRetentionOfKeys(t *testing.T) {
	midnight := time.Now().Truncate(day)
	for _, test := range []struct {
		name          string
		first, second time.Duration
		want          bool // whether the second delivery is recognised
	}{
		{"same day", time.Hour, 2 * time.Hour, true},
		{"over midnight", day - time.Minute, day + time.Minute, true},
		{"to a clock behind, over midnight", day + time.Minute, day - time.Minute, true},
		{"within retention", day - time.Minute, 2*day - 2*time.Minute, true},
		{"after retention", time.Hour, 2*day + time.Hour, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := midnight.Add(test.first)
			r, _ := at(t, &now)
			req := keyed()
			mustRun(t, r, req, increment)
			now = midnight.Add(test.second)
			if reply := mustRun(t, r, req, increment); reply.Replayed != test.want {
				t.Errorf("replayed %v, want %v", reply.Replayed, test.want)
			}
		})
	}
}

func TestRetentionOfIDs(t *testing.T) {
	minted := time.Now()
	now := minted
	r, _ := at(t, &now)
	req := again()
	req.ID = idAt(minted)
	for _, test := range []struct {
		at   time.Duration
		want error
	}{
		{-2 * day, atomic.ErrFuture}, {-time.Hour, nil}, {0, nil}, {day - time.Second, nil}, {day + time.Second, atomic.ErrExpired},
	} {
		now = minted.Add(test.at)
		if _, err := r.Run(t.Context(), req, increment); !errors.Is(err, test.want) {
			t.Errorf("%s after it was minted: error %v, want %v", test.at, err, test.want)
		}
	}
}

// TestCollect advances the clock in small steps, and collects all the time: a
// record must be there as long as anybody may ask for it, and go some time.
func TestCollect(t *testing.T) {
	start := time.Now().Truncate(day).Add(7 * time.Hour)
	now := start
	r, left := at(t, &now)
	byID, byKey := again(), keyed()
	byID.ID = idAt(now)
	mustRun(t, r, byID, increment)
	mustRun(t, r, byKey, increment)
	for range 4 * 24 {
		if now.Sub(start) < day {
			for name, req := range map[string]atomic.Request{"id": byID, "key": byKey} {
				if reply := mustRun(t, r, req, increment); !reply.Replayed {
					t.Fatalf("the record by %s was gone after %s", name, now.Sub(start))
				}
			}
		}
		now = now.Add(time.Hour)
		if _, err := r.Collect(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	if got := left(); got != 0 {
		t.Errorf("%d records left after four days", got)
	}
}

func TestCollectBuckets(t *testing.T) {
	start := time.Now().Truncate(day)
	now := start
	r, left := at(t, &now)
	const days = 5
	for i := range days {
		now = start.Add(time.Duration(i) * day)
		for range 3 {
			req := again()
			req.ID = idAt(now)
			mustRun(t, r, req, increment)
		}
	}
	n, err := r.Collect(t.Context(), now)
	if err != nil || n != 2 || left() != 9 {
		t.Errorf("collected %d buckets and left %d records, error %v; want 2 and 9", n, left(), err)
	}
	if n, err := r.Collect(t.Context(), now); err != nil || n != 0 {
		t.Errorf("collected %d buckets again, error %v", n, err)
	}
}
