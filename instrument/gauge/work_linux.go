package gauge

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/textproto"
	"net/url"
	"strings"

	"golang.org/x/sys/unix"
)

// work is what the gauge does: what a service does for a request, since neighbours slow
// different things differently, a chain of additions not at all. It reads a request's
// header, decodes JSON, looks something up, encodes JSON, and sends it through a socket.
type work struct {
	sockets [2]int
	buf     []byte
	prices  map[string]int
}

const request = "POST /orders/4711/items?user=ann&page=2 HTTP/1.1\r\nHost: shop.example:8080\r\nUser-Agent: Go-http-client/1.1\r\n" +
	"Content-Type: application/json\r\nContent-Length: 180\r\nAccept-Encoding: gzip\r\nIdempotency-Key: 6f1a\r\n\r\n"

const body = `{"customer":"ann","note":"leave it at the desk","items":[{"sku":"sku-17","count":2},{"sku":"sku-402","count":1},{"sku":"sku-1009","count":12}]}`

type order struct {
	Customer string `json:"customer"`
	Note     string `json:"note"`
	Items    []item `json:"items"`
	Total    int    `json:"total"`
}

type item struct {
	SKU   string `json:"sku"`
	Count int    `json:"count"`
}

func newWork() (*work, error) {
	w := &work{buf: make([]byte, 4096), prices: map[string]int{}}
	for i := range 2000 {
		w.prices[fmt.Sprint("sku-", i)] = 100 + i
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make sockets: %w", err)
	}
	w.sockets = fds
	return w, nil
}

func (w *work) close() {
	for _, fd := range w.sockets {
		_ = unix.Close(fd)
	}
}

// piece serves the request once.
func (w *work) piece() {
	r := textproto.NewReader(bufio.NewReaderSize(strings.NewReader(request), 1024))
	line, err := r.ReadLine()
	must(err)
	header, err := r.ReadMIMEHeader()
	must(err)
	target, err := url.ParseRequestURI(strings.Fields(line)[1])
	must(err)
	var o order
	must(json.Unmarshal([]byte(body), &o))
	for _, it := range o.Items {
		o.Total += it.Count * w.prices[it.SKU]
	}
	answer, err := json.Marshal(map[string]any{"order": o, "user": target.Query().Get("user"), "key": header.Get("Idempotency-Key")})
	must(err)
	_, err = unix.Write(w.sockets[0], answer)
	must(err)
	_, err = unix.Read(w.sockets[1], w.buf)
	must(err)
}

// must is for what cannot fail: it is always the same.
func must(err error) {
	if err != nil {
		panic("gauge: " + err.Error())
	}
}
