package byhand

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/onefold/onefold/runtime/store"
)

// caller calls services in other processes, by HTTP/2 over their sockets.
type caller struct {
	peers string // file that says where services are, a line each

	mu         sync.Mutex
	transports map[string]*http.Transport // by service
}

// call has a service do its part, and takes over what it read and wrote.
func (c *caller) call(t *tx, service, method string, args []string) ([]byte, error) {
	transport, err := c.transport(service)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(t.ctx, http.MethodPost, "http://localhost/"+service+"/"+method, bytes.NewReader(appendCall(nil, t.version, args)))
	if err != nil {
		return nil, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return t.join(body)
}

func (c *caller) transport(service string) (*http.Transport, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.transports[service]; t != nil {
		return t, nil
	}
	peers, err := os.ReadFile(c.peers)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(peers)) {
		if socket, ok := strings.CutPrefix(strings.TrimSpace(line), service+"=unix://"); ok {
			t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			}, Protocols: new(http.Protocols), DisableCompression: true}
			t.Protocols.SetUnencryptedHTTP2(true)
			c.transports[service] = t
			return t, nil
		}
	}
	return nil, errors.New("nobody has " + service)
}

// answer does the part of a service in a transaction of another process.
func (a App) answer(w http.ResponseWriter, r *http.Request) {
	part := parts[strings.TrimPrefix(r.URL.Path, "/")]
	body, err := io.ReadAll(r.Body)
	if part == nil || err != nil {
		http.Error(w, "no such part", http.StatusBadRequest)
		return
	}
	m := message(body)
	t := &tx{ctx: r.Context(), app: &a, version: store.Version(m.uint())}
	args := make([]string, m.uint())
	for i := range args {
		args[i] = string(m.bytes())
	}
	reply, err := part(t, args)
	w.Write(t.append(reply, err))
}

func appendCall(b []byte, v store.Version, args []string) []byte {
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(v)), uint64(len(args)))
	for _, arg := range args {
		b = appendBytes(b, arg)
	}
	return b
}

// append encodes what a part returned, read and wrote.
func (t *tx) append(reply []byte, err error) []byte {
	b := make([]byte, 0, 512)
	text := ""
	if err != nil {
		text = err.Error()
	}
	b = appendBytes(appendBytes(b, text), reply)
	b = binary.AppendUvarint(b, uint64(len(t.reads)))
	for _, r := range t.reads {
		b = appendBytes(b, r.Begin)
	}
	b = binary.AppendUvarint(b, uint64(len(t.ops)))
	for _, op := range t.ops {
		b = appendBytes(appendBytes(append(b, byte(op.Kind)), op.Key), op.Value)
	}
	return b
}

// join reads what append wrote.
func (t *tx) join(body []byte) ([]byte, error) {
	m := message(body)
	text, reply := string(m.bytes()), m.bytes()
	for range m.uint() {
		t.reads = append(t.reads, store.Point(m.bytes()))
	}
	for range m.uint() {
		kind := store.OpKind(m[0])
		m = m[1:]
		t.ops = append(t.ops, store.Op{Kind: kind, Key: m.bytes(), Value: m.bytes()})
	}
	if text != "" {
		return nil, errors.New(text)
	}
	return reply, nil
}

func appendBytes[T string | []byte](b []byte, v T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// message is what is left to read of a message of this program itself.
type message []byte

func (m *message) uint() uint64 {
	n, size := binary.Uvarint(*m)
	*m = (*m)[size:]
	return n
}

func (m *message) bytes() []byte {
	n := m.uint()
	b := (*m)[:n:n]
	*m = (*m)[n:]
	return b
}
