package invoke

import (
	"encoding/hex"
	"net/http"

	"github.com/onefold/onefold/runtime/atomic"
)

// A trace is the part of W3C trace context that the front needs: which trace
// a request belongs to, and whether it is sampled.
type trace struct {
	id      [16]byte
	sampled bool
}

// parseTrace returns the trace of a traceparent header; ok is false where there is
// none or it is malformed, which the standard says to ignore.
func parseTrace(h string) (t trace, ok bool) {
	// version "-" trace-id "-" parent-id "-" flags; later versions may append "-…".
	if len(h) < 55 || h[2] != '-' || h[35] != '-' || h[52] != '-' || h[:2] == "ff" {
		return trace{}, false
	}
	if len(h) > 55 && (h[:2] == "00" || h[55] != '-') {
		return trace{}, false
	}
	for _, part := range []string{h[:2], h[3:35], h[36:52], h[53:55]} {
		if !lowerHex(part) {
			return trace{}, false
		}
	}
	var flags [1]byte
	var parent [8]byte
	hex.Decode(t.id[:], []byte(h[3:35]))
	hex.Decode(parent[:], []byte(h[36:52]))
	hex.Decode(flags[:], []byte(h[53:55]))
	t.sampled = flags[0]&1 != 0
	return t, t.id != [16]byte{} && parent != [8]byte{}
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// respond sets traceresponse (W3C Trace Context Level 2), with the end of the
// invocation's id as the span.
func (t trace) respond(h http.Header, id atomic.ID) {
	flags := byte(0)
	if t.sampled {
		flags = 1
	}
	b := make([]byte, 0, 55)
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, t.id[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[8:])
	b = append(b, '-')
	b = hex.AppendEncode(b, []byte{flags})
	h["Traceresponse"] = []string{string(b)}
}

func (t trace) String() string { return hex.EncodeToString(t.id[:]) }
