package check_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler/check"
	"github.com/onefold/onefold/compiler/compiletest"
)

func report(t *testing.T) *check.Report {
	t.Helper()
	text, err := os.ReadFile("testdata/travel.txtar")
	if err != nil {
		t.Fatal(err)
	}
	prog, _ := run(t, compiletest.Parse("travel", string(text)), own())
	return check.NewReport(prog)
}

func TestReportText(t *testing.T) {
	var b strings.Builder
	if err := report(t).Text(&b); err != nil {
		t.Fatal(err)
	}
	want := `METHOD             KIND       ROUNDS                 COMMITS  HOPS  READS                                                            WRITES                                                           ADDS         CALLS
Flight.Add         atomic     3                      1        0     -                                                                seats                                                            -            -
Flight.Reserve     atomic     4                      0..1     0     seats taken                                                      seats taken                                                      -            -
Flight.Seats       read-only  2                      0        0     seats                                                            -                                                                -            -
Flight.Passengers  read-only  2                      0        0     taken                                                            -                                                                -            -
Frontend.Book      atomic     6                      1        3     Flight.seats Flight.taken Hotel.rooms Orders.byUser Orders.placed  Flight.seats Flight.taken Hotel.rooms Orders.byUser Orders.placed  Hotel.total  Flight.Reserve Hotel.Reserve Orders.Place
Hotel.Add          atomic     3                      0..1     0     rooms                                                            rooms                                                            -            -
Hotel.Reserve      atomic     3                      0..1     0     rooms                                                            rooms                                                            total        -
Hotel.Room         read-only  2                      0        0     rooms                                                            -                                                                -            -
Hotel.Total        read-only  2                      0        0     total                                                            -                                                                -            -
Orders.Place       atomic     4                      1        0     byUser placed                                                    byUser placed                                                    -            -
Orders.Of          read-only  3 + loop(order.go:38)  0        0     byUser placed                                                    -                                                                -            -
Orders.Count       read-only  2                      0        0     placed                                                           -                                                                -            -
`
	squeeze := func(s string) []string {
		var lines []string
		for line := range strings.Lines(s) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		return lines
	}
	if diff := cmp.Diff(squeeze(want), squeeze(b.String())); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

// Tools read the same from the JSON form; lists are never null.
func TestReportJSON(t *testing.T) {
	want := report(t)
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "null") {
		t.Errorf("null in the report: %s", data)
	}
	got := new(check.Report)
	if err := json.Unmarshal(data, got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report through JSON (-want +got):\n%s", diff)
	}
}
