package local

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/peer"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/foundationdb"
	"github.com/onefold/onefold/runtime/store/remote"
)

// DefaultData is the folder that app keeps its state in unless told otherwise.
func DefaultData(app *runtime.App) string { return filepath.Join(".onefold", app.Name) }

// The beginnings of what ONEFOLD_STORE may be.
const (
	embeddedStore   = "embedded:"
	foundationStore = "fdb:"
)

// store returns where the state is, in the form of ONEFOLD_STORE.
func (o *Options) store() string { return cmp.Or(o.Part.Store, embeddedStore+o.Data) }

// open opens the store. failed is closed when it has failed for good; nil where
// that does not happen.
func open(ctx context.Context, opts Options) (engine store.Engine, failed <-chan struct{}, err error) {
	where := opts.store()
	if dir, ok := strings.CutPrefix(where, embeddedStore); ok {
		engine, err := embedded.Open(dir, embedded.Options{})
		if err != nil {
			return nil, nil, err
		}
		return engine, engine.Failed(), nil
	}
	if file, ok := strings.CutPrefix(where, foundationStore); ok {
		engine, err := foundationdb.Open(ctx, foundationdb.Options{ClusterFile: file})
		return engine, nil, err
	}
	if !strings.HasPrefix(where, "unix://") && !strings.HasPrefix(where, "tcp://") {
		return nil, nil, fmt.Errorf("environment variable %s=%q: want embedded:FOLDER, unix:///path, tcp://host:port or fdb:CLUSTERFILE", peer.EnvStore, where)
	}
	at, err := peer.ParseAddress(where)
	if err != nil {
		return nil, nil, fmt.Errorf("environment variable %s: %w", peer.EnvStore, err)
	}
	remoteEngine, err := remote.Open(ctx, remote.Options{Dial: dialStore(at, opts.Part.TLS), Key: opts.Part.Keys.ShowStore})
	if err != nil {
		return nil, nil, fmt.Errorf("store at %s: %w", where, err)
	}
	return remoteEngine, nil, nil
}

// dialStore returns what connects to a store server.
func dialStore(at peer.Address, secrets *peer.TLS) func(context.Context) (net.Conn, error) {
	dial := remote.Dial(at.Network, at.Name)
	if secrets == nil || at.Network != "tcp" {
		return dial
	}
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		host, _, _ := net.SplitHostPort(at.Name)
		secured := tls.Client(conn, secrets.Client(host))
		return secured, secured.HandshakeContext(ctx)
	}
}
