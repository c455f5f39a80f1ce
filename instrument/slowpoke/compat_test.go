package slowpoke

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fifos stands for the original's poker: it answers each order at once, and tells
// the times that were ordered.
func fifos(t *testing.T) (env map[string]string, orders <-chan int64) {
	t.Helper()
	dir := t.TempDir()
	env = map[string]string{compatFIFO: filepath.Join(dir, "orders"), compatTokens: filepath.Join(dir, "tokens")}
	var files []*os.File
	for _, name := range []string{compatFIFO, compatTokens} {
		if err := unix.Mkfifo(env[name], 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(env[name], os.O_RDWR|unix.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files = append(files, f)
	}
	ch := make(chan int64, 100)
	go func() {
		var ns int64
		for binary.Read(files[0], binary.LittleEndian, &ns) == nil {
			ch <- ns
			files[1].Write(make([]byte, 8))
		}
	}()
	return env, ch
}

// next returns the next order.
func next(t *testing.T, orders <-chan int64) time.Duration {
	t.Helper()
	select {
	case ns := <-orders:
		return time.Duration(ns)
	case <-time.After(20 * time.Second):
		t.Fatal("no order to the poker")
	}
	return 0
}

// TestCompat: a phase that the target begins reaches the service behind the one it
// calls, and each pauses for what it has added up.
func TestCompat(t *testing.T) {
	port := ""
	start := func(host string, env map[string]string) *compat {
		t.Helper()
		env[compatName] = host
		c, err := newCompat(func(name string) string { return env[name] })
		if err != nil {
			t.Fatal(err)
		}
		c.port = port
		if err := c.listen(net.JoinHostPort(host, port)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	l, err := net.Listen("tcp", "127.0.0.11:0")
	if err != nil {
		t.Skipf("no second loopback address: %v", err)
	}
	_, port, _ = net.SplitHostPort(l.Addr().String())
	l.Close()

	targetEnv, targetOrders := fifos(t)
	targetEnv[compatTarget], targetEnv[compatThreshold] = "true", "4"
	middleEnv, middleOrders := fifos(t)
	middleEnv[compatDelay] = "1500.9"
	leafEnv, leafOrders := fifos(t)
	leafEnv[compatDelay] = "700"
	target, middle, leaf := start("127.0.0.11", targetEnv), start("127.0.0.12", middleEnv), start("127.0.0.13", leafEnv)
	for _, orders := range []<-chan int64{targetOrders, middleOrders, leafOrders} {
		if d := next(t, orders); d != 0 {
			t.Errorf("the handshake orders %v", d)
		}
	}
	target.call("127.0.0.12:8080")
	middle.call("127.0.0.13")
	for range 3 {
		middle.request()
		leaf.request()
	}
	for range 5 {
		target.request()
	}
	if d := next(t, targetOrders); d != 0 {
		t.Errorf("the target pauses for %v", d)
	}
	if d := next(t, middleOrders); d != 3*1500*time.Microsecond {
		t.Errorf("the service that is called pauses for %v", d)
	}
	if d := next(t, leafOrders); d != 3*700*time.Microsecond {
		t.Errorf("the service behind it pauses for %v", d)
	}
	// All know of the phase now; one that comes again is over.
	leaf.mu.Lock()
	leaf.enter(1)
	leaf.mu.Unlock()
	if len(leafOrders) != 0 {
		t.Error("one phase paused a service twice")
	}
	// What is no message ends a connection, and nothing else.
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.13", port))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(conn, "GET / HTTP/1.1")
	if _, err := io.ReadAll(conn); err != nil {
		t.Error(err)
	}
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]int64{"": 7, "12": 12, "4423.5": 4423, "-1": 7, "x": 7} {
		if got := number(text, 7); got != want {
			t.Errorf("number(%q) = %d, want %d", text, got, want)
		}
	}
}
