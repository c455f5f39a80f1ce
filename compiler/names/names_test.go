package names_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/names"
)

func TestCase(t *testing.T) {
	for _, test := range []struct{ name, lower, upper string }{
		{"Hotel", "hotel", "Hotel"},
		{"URLMap", "urlMap", "URLMap"},
		{"ID", "id", "ID"},
		{"user_id", "userId", "UserId"},
		{"_x", "x", "X"},
		{"Ärger", "ärger", "Ärger"},
		{"B2B", "b2B", "B2B"},
		{"_", "x", "x"},
	} {
		if got := names.Lower(test.name); got != test.lower {
			t.Errorf("Lower(%q) = %q, want %q", test.name, got, test.lower)
		}
		if got := names.Upper(test.name); got != test.upper && test.name != "_" {
			t.Errorf("Upper(%q) = %q, want %q", test.name, got, test.upper)
		}
	}
}

// TestTaken: no name is one that the user's package mentions anywhere.
func TestTaken(t *testing.T) {
	c := compiletest.Parse("taken", `
-- hotel/hotel.go --
package hotel

import "context"

//onefold:service
type Hotel struct{ rooms map[string]int }

func (h *Hotel) Rooms(ctx context.Context) (int, error) { bindHotel := 1; return bindHotel, nil }

func (h *Hotel) tx() {}

type HotelClient int
`)
	prog, _ := c.Build(t)
	s := prog.Services[0]
	n := names.New(prog).Service(s)
	got := []string{n.Tx, n.State, n.Client, n.NewClient, n.Bind, n.Descriptor, n.Field(s.Fields[0]), n.Call(s.Methods[0])}
	want := []string{"tx2", "hotelState", "HotelClient2", "NewHotelClient2", "bindHotel2", "HotelService", "hotelRooms", "callHotelRooms"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
