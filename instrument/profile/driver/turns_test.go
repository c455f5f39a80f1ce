package driver

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTurns cuts edges at whole turns: as near as edges come, nothing twice, without drift.
func TestTurns(t *testing.T) {
	for _, tt := range []struct {
		name string
		done []int64
		want [][2]int
	}{
		{"nothing", nil, nil},
		{"one edge", []int64{5}, nil},
		{"less than a turn", []int64{5, 20, 90}, [][2]int{{0, 2}}},
		{"exact", []int64{0, 50, 100, 150, 200, 250}, [][2]int{{0, 2}, {2, 4}}},
		{"nearest, before or after", []int64{0, 60, 95, 130, 170, 210, 290, 350}, [][2]int{{0, 2}, {2, 5}, {5, 6}}},
		{"edges far apart", []int64{0, 250, 500}, [][2]int{{0, 1}, {1, 2}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var edges []edge
			for _, d := range tt.done {
				edges = append(edges, edge{done: d})
			}
			var got [][2]int
			for a, b := range turns(edges, 100) {
				got = append(got, [2]int{a, b})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("segments (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWaves: the rate over whole turns is exact, however uneven a turn is.
func TestWaves(t *testing.T) {
	var edges []edge
	for i := range int64(30) { // four edges a turn, with 70, 10, 5 and 15 of 100 requests
		done := i/4*100 + []int64{0, 70, 80, 85}[i%4]
		edges = append(edges, edge{at: i * 1e9, done: done})
	}
	n := 0
	for a, b := range turns(edges[1:], 100) {
		n++
		if s := between(edges[1:][a], edges[1:][b]); float64(s.Requests)/s.Wall != 25 {
			t.Errorf("%d requests in %v s, want 25/s", s.Requests, s.Wall)
		}
	}
	if n != 7 {
		t.Errorf("%d segments of 7 whole turns", n)
	}
}
