package invoke

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/onefold/onefold/runtime/atomic"
)

func TestNewID(t *testing.T) {
	now := time.UnixMilli(1_790_000_000_123)
	seen := map[atomic.ID]bool{}
	for range 1000 {
		id := NewID(now)
		if seen[id] {
			t.Fatalf("%s came twice", id)
		}
		seen[id] = true
		if u := uuid.UUID(id); u.Version() != 7 || u.Variant() != uuid.RFC4122 {
			t.Fatalf("%s has version %d and variant %v, want 7 of RFC 9562", id, u.Version(), u.Variant())
		}
		if !id.Time().Equal(now) {
			t.Fatalf("%s is of %v, want %v", id, id.Time(), now)
		}
		if got := string(appendID(nil, id)); got != id.String() {
			t.Fatalf("appendID = %s, want %s", got, id)
		}
		if parsed, err := parseID(id.String()); err != nil || parsed != id {
			t.Fatalf("parseID(%s) = %s, %v", id, parsed, err)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	for _, s := range []string{
		"",
		"x",
		"01912d68-783e-7c5b-8000-0242ac12000",
		"01912d68-783e-7c5b-8000-0242ac12000g",
		"01912d68783e7c5b80000242ac120002xxxx",
		"01912d68-783e-4c5b-8000-0242ac120002", // version 4
		"01912d68-783e-7c5b-c000-0242ac120002", // another variant
		"{01912d68-783e-7c5b-8000-0242ac12000}",
	} {
		if id, err := parseID(s); err == nil {
			t.Errorf("parseID(%q) = %s, want an error", s, id)
		}
	}
}

func BenchmarkNewID(b *testing.B) {
	b.ReportAllocs()
	now := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			NewID(now)
		}
	})
}
