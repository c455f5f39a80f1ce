package workflow

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCron(t *testing.T) {
	tests := []struct {
		text, after string
		want        []string
	}{
		{"0 3 * * *", "2026-01-31T03:00:00Z", []string{"2026-02-01T03:00:00Z", "2026-02-02T03:00:00Z"}},
		{"*/20 * * * *", "2026-01-01T00:30:30Z", []string{"2026-01-01T00:40:00Z", "2026-01-01T01:00:00Z"}},
		{"5,10-12/2 8 * * *", "2026-01-01T00:00:00Z", []string{"2026-01-01T08:05:00Z", "2026-01-01T08:10:00Z", "2026-01-01T08:12:00Z", "2026-01-02T08:05:00Z"}},
		{"0 0 29 feb *", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		{"0 0 13 * fri", "2026-02-12T12:00:00Z", []string{"2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"}},
		{"0 0 * * 7", "2026-11-21T12:00:00Z", []string{"2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"}},
		{"@weekly", "2026-11-21T12:00:00Z", []string{"2026-11-22T00:00:00Z"}},
		{"CRON_TZ=Europe/Paris 0 3 * * *", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"}},
		// 02:30 does not exist that night, and comes twice in October.
		{"CRON_TZ=Europe/Paris 30 2 * * *", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"}},
		{"CRON_TZ=Europe/Paris 30 2 * * *", "2026-10-24T12:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
	}
	for _, test := range tests {
		c, err := parseSchedule("cron " + test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		at, err := time.Parse(time.RFC3339, test.after)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for range test.want {
			at = c.next(at)
			got = append(got, at.Format(time.RFC3339))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s after %s (-want +got):\n%s", test.text, test.after, diff)
		}
	}
}

func TestLastTick(t *testing.T) {
	at := func(h, m int) time.Time { return time.Date(2026, 1, 1, h, m, 0, 0, time.UTC) }
	daily, err := parseSchedule("cron 0 3 * * *")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		when               schedule
		first, now         time.Time
		wantTick, wantNext time.Time
	}{
		{every(time.Hour), at(1, 0), at(1, 0), at(1, 0), at(2, 0)},
		{every(time.Hour), at(1, 0), at(1, 59), at(1, 0), at(2, 0)},
		{every(time.Hour), at(1, 0), at(9, 30), at(9, 0), at(10, 0)},
		{every(time.Second), at(1, 0), at(9, 30), at(9, 30), at(9, 30).Add(time.Second)},
		{daily, at(3, 0), at(3, 0).AddDate(0, 0, 9), at(3, 0).AddDate(0, 0, 9), at(3, 0).AddDate(0, 0, 10)},
	}
	for _, test := range tests {
		tick, next := lastTick(test.when, test.first, test.now)
		if !tick.Equal(test.wantTick) || !next.Equal(test.wantNext) {
			t.Errorf("%v from %s at %s: tick %s, next %s; want %s, %s", test.when, test.first, test.now, tick, next, test.wantTick, test.wantNext)
		}
	}
}

func TestPathAfter(t *testing.T) {
	for _, test := range []struct {
		p, q  path
		after bool
	}{
		{path{2}, path{1}, true},
		{path{1}, path{2}, false},
		{path{1}, path{1}, false},
		{path{1, 2, 1}, path{1, 1, 9}, false}, // branches say nothing about each other
		{path{1, 1, 9}, path{1, 1, 8}, true},
		{path{2}, path{1, 5, 5}, true}, // what follows a group
		{path{1, 5, 5}, path{2}, false},
		{path{1, 1, 2, 3, 1}, path{1, 1, 1}, true},
	} {
		if got := test.p.after(test.q); got != test.after {
			t.Errorf("%s after %s: %t", test.p, test.q, got)
		}
	}
}
