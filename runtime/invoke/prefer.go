package invoke

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// preference is what a client says about waiting, in Prefer (RFC 7240).
type preference struct {
	async bool          // not at all
	wait  time.Duration // at most so long
	given bool          // wait is what the client says
}

// preference returns what the request says; nobody waits longer than a request may take.
func (c *call) preference(r *http.Request) preference {
	p := preference{wait: c.h.opts.Timeout - time.Since(c.start)}
	for _, line := range r.Header["Prefer"] {
		for item := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "respond-async":
				p.async = true
			case "wait":
				if n, err := strconv.ParseUint(strings.Trim(value, ` "`), 10, 31); err == nil {
					p.wait, p.given = min(p.wait, time.Duration(n)*time.Second), true
				}
			}
		}
	}
	if p.given && p.wait > 0 {
		p.async = false // RFC 7240, section 4.3: wait that long first
	}
	return p
}
