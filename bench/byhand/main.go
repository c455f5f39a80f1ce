package byhand

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/onefold/onefold/runtime/peer"
	"github.com/onefold/onefold/runtime/store/remote"
)

// Main runs a process of the services by hand, with the flag --listen and the
// environment that a stage gives to replicas. It returns the exit code.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serve(ctx, args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, args []string) error {
	public := ""
	for i, arg := range args[:len(args)-1] {
		if arg == "--listen" {
			public = args[i+1]
		}
	}
	engine, err := remote.Open(ctx, remote.Options{Dial: remote.Dial("unix", path(os.Getenv(peer.EnvStore)))})
	if err != nil {
		return err
	}
	defer engine.Close()
	app := App{Engine: engine, calls: &caller{peers: strings.TrimPrefix(os.Getenv(peer.EnvPeers), "@"), transports: map[string]*http.Transport{}}}
	front := app.Handler()
	front.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	failed := make(chan error, 2)
	for at, handler := range map[string]http.Handler{public: front, os.Getenv(peer.EnvInternal): http.HandlerFunc(app.answer)} {
		listener, err := net.Listen("unix", path(at))
		if err != nil {
			return err
		}
		protocols := new(http.Protocols)
		protocols.SetHTTP1(true)
		protocols.SetUnencryptedHTTP2(true)
		server := &http.Server{Handler: handler, Protocols: protocols}
		defer server.Close()
		go func() { failed <- server.Serve(listener) }()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

func path(address string) string { return strings.TrimPrefix(address, "unix://") }
