package page_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// pair returns the two sides of a page.
func pair(t *testing.T) (poker, service *page.Page, wakes <-chan struct{}) {
	t.Helper()
	dir := t.TempDir()
	poker, notify, err := page.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { notify.Close() })
	service, err = page.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ch := make(chan struct{}, 1000)
	go func() {
		for buf := make([]byte, 8); ; {
			if _, err := notify.Read(buf); err != nil {
				return
			}
			ch <- struct{}{}
		}
	}()
	return poker, service, ch
}

func TestCounters(t *testing.T) {
	poker, service, _ := pair(t)
	in, out := service.Counter(page.Route, "GET /rooms"), service.Counter(page.Edge, "hotel:80")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				in.Add()
				out.Add()
				out.Add()
			}
		})
	}
	wg.Wait()
	want := []page.Count{{"r", "GET /rooms", 8000}, {"e", "hotel:80", 16000}}
	if diff := cmp.Diff(want, poker.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// TestNoName: a counter without a name is counted as others are.
func TestNoName(t *testing.T) {
	p := page.Private()
	p.Counter(page.Mark, "").Add()
	if diff := cmp.Diff([]page.Count{{"p", "", 1}}, p.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// TestManyNames: what has no slot of its own is counted all the same.
func TestManyNames(t *testing.T) {
	p := page.Private()
	for i := range 1000 {
		p.Counter(page.Route, fmt.Sprint("route ", i)).Add()
	}
	sum := int64(0)
	counts := p.Counts()
	for _, c := range counts {
		sum += c.Value
	}
	if sum != 1000 || counts[len(counts)-1].Name != "(others)" {
		t.Errorf("counted %d of 1000, the last counter is %q", sum, counts[len(counts)-1].Name)
	}
}

// TestBatch: the poker is woken at every batch, and only while one is set.
func TestBatch(t *testing.T) {
	poker, service, wakes := pair(t)
	service.Point()
	poker.SetBatch(10, "")
	for range 95 {
		service.Point()
	}
	for range 9 {
		select {
		case <-wakes:
		case <-time.After(10 * time.Second):
			t.Fatal("the poker was not woken")
		}
	}
	if n := poker.Target(); n != 95 {
		t.Errorf("%d requests counted, want 95", n)
	}
	poker.SetBatch(0, "")
	for range 20 {
		service.Point()
	}
	if len(wakes) != 0 || poker.Target() != 0 {
		t.Errorf("%d wakes and %d requests without a batch", len(wakes), poker.Target())
	}
}

// TestBatchOfRoute: only the requests of the route count, and it has to be known.
func TestBatchOfRoute(t *testing.T) {
	poker, service, _ := pair(t)
	rooms, guests := service.Counter(page.Route, "GET /rooms"), service.Counter(page.Route, "GET /guests")
	if poker.SetBatch(5, "GET /rooms") {
		t.Error("a batch of a route without requests")
	}
	rooms.Add()
	if !poker.SetBatch(5, "GET /rooms") {
		t.Fatal("the route is not found")
	}
	for range 3 {
		service.Point()
		service.PointOf(rooms)
		service.PointOf(guests)
	}
	if n := poker.Target(); n != 3 {
		t.Errorf("%d requests counted, want the 3 of the route", n)
	}
	poker.SetBatch(5, "")
	service.Point()
	service.PointOf(rooms)
	if n := poker.Target(); n != 1 {
		t.Errorf("%d requests counted, want 1 of no route in particular", n)
	}
}

// TestClock: the virtual clock leaves out the pauses, and never goes back by more.
func TestClock(t *testing.T) {
	poker, service, _ := pair(t)
	before := service.Now()
	poker.Continue(int64(time.Hour))
	if passed := time.Duration(service.Now() - before); passed > -59*time.Minute {
		t.Errorf("%v passed since before a pause of an hour that took no time", passed)
	}
	if poker.Paused() != int64(time.Hour) {
		t.Errorf("paused %d", poker.Paused())
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := page.Open(t.TempDir()); err == nil {
		t.Error("a folder without a page was opened")
	}
	dir := t.TempDir()
	if _, _, err := page.Create(dir); err != nil {
		t.Fatal(err)
	}
	if _, _, err := page.Create(dir); err == nil {
		t.Error("a page was made where there is one")
	}
}

func TestNoAllocations(t *testing.T) {
	p := page.Private()
	c := p.Counter(page.Route, "r")
	if n := testing.AllocsPerRun(100, func() { c.Add(); p.Point(); p.Now() }); n != 0 {
		t.Errorf("%g allocations for a count, a point and the time", n)
	}
}
