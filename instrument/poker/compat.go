package poker

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Compat is the channel of the original Slowpoke: the service writes the
// nanoseconds to be paused for, little endian, into one FIFO, and waits for eight
// bytes from another. The paths are those that the service finds in its
// environment.
type Compat struct {
	orders, tokens *os.File
	Env            []string
}

// NewCompat makes the FIFOs in a folder.
func NewCompat(dir string) (*Compat, error) {
	c := &Compat{}
	for _, f := range []struct {
		name, env string
		file      **os.File
	}{
		{"slowpoke_fifo", "SLOWPOKE_FIFO_PATH", &c.orders},
		{"slowpoke_fifo_recover", "SLOWPOKE_FIFO_RECOVER_PATH", &c.tokens},
	} {
		path := filepath.Join(dir, f.name)
		if err := unix.Mkfifo(path, 0o600); err != nil {
			return nil, fmt.Errorf("make FIFO %s: %w", path, err)
		}
		// Open for both, so that neither opening nor reading waits for a service
		// that may end before it opens its side.
		file, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
		if err != nil {
			return nil, err
		}
		*f.file = file
		c.Env = append(c.Env, f.env+"="+path)
	}
	return c, nil
}

// Serve obeys the service until Close.
func (c *Compat) Serve(p *Pauser) {
	var word [8]byte
	for {
		if _, err := io.ReadFull(c.orders, word[:]); err != nil {
			return
		}
		d := time.Duration(int64(binary.LittleEndian.Uint64(word[:])))
		// The service may order more or less than a pause can be, and waits for its
		// token all the same.
		p.Pause(0, min(max(d, 0), p.max), func(Interval, error) { _, _ = c.tokens.Write(make([]byte, len(word))) })
	}
}

// Close ends Serve.
func (c *Compat) Close() {
	c.orders.Close()
	c.tokens.Close()
}
