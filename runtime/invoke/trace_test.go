package invoke

import (
	"net/http"
	"testing"

	"github.com/onefold/onefold/runtime/atomic"
)

func TestTrace(t *testing.T) {
	const id = "0af7651916cd43dd8448eb211c80319c"
	for _, test := range []struct {
		in, want string // want "" where the header is to be ignored
	}{
		{"00-" + id + "-b7ad6b7169203331-01", "00-" + id + "-8001020304050607-01"},
		{"00-" + id + "-b7ad6b7169203331-00", "00-" + id + "-8001020304050607-00"},
		{"cc-" + id + "-b7ad6b7169203331-01-more", "00-" + id + "-8001020304050607-01"},
		{"", ""},
		{"00-" + id + "-b7ad6b7169203331-01-more", ""},
		{"cc-" + id + "-b7ad6b7169203331-01x", ""},
		{"ff-" + id + "-b7ad6b7169203331-01", ""},
		{"00-00000000000000000000000000000000-b7ad6b7169203331-01", ""},
		{"00-" + id + "-0000000000000000-01", ""},
		{"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", ""},
		{"00_" + id + "-b7ad6b7169203331-01", ""},
	} {
		header := http.Header{}
		if trace, ok := parseTrace(test.in); ok {
			trace.respond(header, atomic.ID{8: 0x80, 9: 1, 10: 2, 11: 3, 12: 4, 13: 5, 14: 6, 15: 7})
		}
		if got := header.Get("Traceresponse"); got != test.want {
			t.Errorf("%q gives traceresponse %q, want %q", test.in, got, test.want)
		}
	}
}
