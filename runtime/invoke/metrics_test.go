package invoke

import (
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	for _, test := range []struct {
		d    time.Duration
		want int
	}{
		{0, 0},
		{64 * time.Microsecond, 0},
		{64*time.Microsecond + 1, 1},
		{128 * time.Microsecond, 1},
		{128*time.Microsecond + 1, 2},
		{time.Hour, buckets},
	} {
		if got := bucket(test.d); got != test.want {
			t.Errorf("bucket(%v) = %d, want %d", test.d, got, test.want)
		}
	}
}
