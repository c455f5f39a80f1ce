package invoke

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// readBody reads the request's body into c.body; an empty one is an empty object.
func (c *call) readBody(w http.ResponseWriter, r *http.Request) *Problem {
	c.body = c.body[:0]
	if p := c.checkMedia(r); p != nil {
		return p
	}
	limit := c.h.opts.MaxBody
	if r.ContentLength > limit {
		return tooLarge(limit)
	}
	body := r.Body
	if r.ContentLength < 0 { // else it is no longer than it says
		body = http.MaxBytesReader(w, body, limit)
	}
	if r.ContentLength != 0 {
		if p := c.fill(body, limit); p != nil {
			return p
		}
	}
	if len(c.body) == 0 {
		c.body = append(c.body, "{}"...)
		return nil
	}
	if r.Header["Content-Type"] == nil {
		return notJSON("a body without Content-Type")
	}
	return nil
}

// checkMedia refuses what is not JSON. A web page can send JSON to another origin
// only if that allows it, which this server never does; what a page can send to
// anybody, an empty body without a type, is checked for where it came from.
func (c *call) checkMedia(r *http.Request) *Problem {
	if encoding := header1(r, "Content-Encoding"); encoding != "" && encoding != "identity" {
		return notJSON("Content-Encoding " + strconv.Quote(encoding))
	}
	given := r.Header["Content-Type"]
	if len(given) == 0 {
		if err := c.h.origins.Check(r); err != nil {
			return &Problem{Type: TypeCrossOrigin, Status: http.StatusForbidden, Detail: err.Error()}
		}
		return nil
	}
	if given[0] == "application/json" {
		return nil
	}
	media, _, _ := strings.Cut(given[0], ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return notJSON("Content-Type " + strconv.Quote(given[0]))
	}
	return nil
}

// fill appends what reader gives to c.body.
func (c *call) fill(reader io.Reader, limit int64) *Problem {
	for {
		c.body = slices.Grow(c.body, 512)
		n, err := reader.Read(c.body[len(c.body):cap(c.body)])
		c.body = c.body[:len(c.body)+n]
		if err == io.EOF {
			return nil
		}
		if _, over := err.(*http.MaxBytesError); over {
			return tooLarge(limit)
		}
		if err != nil {
			return malformed("read body: " + err.Error())
		}
	}
}

func notJSON(found string) *Problem {
	return &Problem{Type: TypeMediaType, Status: http.StatusUnsupportedMediaType, Detail: "found " + found + "; want application/json"}
}

func tooLarge(limit int64) *Problem {
	return &Problem{Type: TypeBodyTooLarge, Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("the body is longer than %d bytes", limit)}
}
