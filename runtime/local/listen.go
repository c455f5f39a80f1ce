package local

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/onefold/onefold/runtime/peer"
)

// noAddress is the --listen of a process without a public address.
const noAddress = "none"

// addresses are where a process listens; nil is nowhere.
type addresses struct{ public, internal net.Listener }

// listeners opens the public and the internal address.
func listeners(ctx context.Context, opts *Options) (at *addresses, err error) {
	at = new(addresses)
	if opts.Listen != noAddress {
		public, err := peer.ParseAddress(opts.Listen)
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		if at.public, err = listenAt(ctx, public, nil, "--listen"); err != nil {
			return nil, err
		}
	}
	if internal := opts.Part.Internal; internal.Network != "" {
		if at.internal, err = listenAt(ctx, internal, opts.Part.TLS, peer.EnvInternal); err != nil {
			at.close()
			return nil, err
		}
	}
	if at.public == nil && at.internal == nil {
		return nil, fmt.Errorf("--listen none without %s: nobody could reach the process", peer.EnvInternal)
	}
	return at, nil
}

func (at *addresses) close() {
	for _, l := range []net.Listener{at.public, at.internal} {
		if l != nil {
			l.Close()
		}
	}
}

// listenAt opens an address that setting names. With secrets it lets in only who
// has a certificate.
func listenAt(ctx context.Context, at peer.Address, secrets *peer.TLS, setting string) (net.Listener, error) {
	var config net.ListenConfig
	if at.Network == "unix" {
		if err := removeStale(ctx, at.Name); err != nil {
			return nil, err
		}
	}
	listener, err := config.Listen(ctx, at.Network, at.Name)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is in use: stop what listens there, or choose another with %s", at, setting)
	case err != nil:
		return nil, fmt.Errorf("listen: %w", err)
	}
	if at.Network == "unix" {
		if err := os.Chmod(at.Name, 0o600); err != nil {
			listener.Close()
			return nil, fmt.Errorf("listen: %w", err)
		}
	}
	if secrets != nil && at.Network == "tcp" {
		listener = tls.NewListener(listener, secrets.Server())
	}
	return listener, nil
}

// removeStale removes the socket that a process left that was killed.
func removeStale(ctx context.Context, name string) error {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("listen: %s is there and no socket", name)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", name)
	if err == nil {
		conn.Close()
		return nil // somebody listens: that is found out next
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return os.Remove(name)
	}
	return nil
}
