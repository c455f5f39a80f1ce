package suite_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/memory"
	"github.com/onefold/onefold/runtime/store/remote"
)

// pipes is a listener of connections in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// remoteStore is an embedded store that each process has a connection of its own to.
func remoteStore(t testing.TB) onefoldtest.Store {
	t.Helper()
	disk, err := embedded.Open("store", embedded.Options{FS: vfs.NewMem(), CacheSize: 1 << 20, MemTableSize: 1 << 20, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	return served(t, disk)
}

// remoteMemory is as remoteStore, but does nothing by itself, so that years of virtual
// time cost nothing.
func remoteMemory(t testing.TB) onefoldtest.Store {
	t.Helper()
	return served(t, memory.New())
}

// served is disk as a store that each process has a connection of its own to.
func served(t testing.TB, disk store.Engine) onefoldtest.Store {
	t.Helper()
	server, err := remote.NewServer(context.Background(), disk, remote.ServerOptions{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(listener) })
	var engines []*remote.Engine
	return onefoldtest.Store{
		Connect: func() store.Engine {
			e, err := remote.Open(context.Background(), remote.Options{Dial: listener.dial})
			if err != nil {
				panic(err) // the server is in this process
			}
			engines = append(engines, e)
			return e
		},
		Close: func() {
			for _, e := range engines {
				e.Close()
			}
			server.Close()
			serving.Wait()
			disk.Close()
		},
	}
}
