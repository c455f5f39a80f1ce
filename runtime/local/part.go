package local

import (
	"errors"
	"net/http"
	"strings"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/peer"
)

// part returns app with the services that the configuration has here.
func part(app *runtime.App, config *peer.Config) *runtime.App {
	hosted := *app
	hosted.Services = nil
	for _, s := range app.Services {
		if config.Hosts(s.Name) {
			hosted.Services = append(hosted.Services, s)
		}
	}
	return &hosted
}

// fromEnv returns the options with the part of app that the environment gives to
// the process. It must find the services that the hosted ones call, and no others.
func (o Options) fromEnv(app *runtime.App) (Options, error) {
	var err error
	if o.Part, err = peer.FromEnv(o.LookupEnv, serviceNames(app)); err != nil {
		return o, err
	}
	var errs []error
	for _, s := range part(app, &o.Part).Services {
		errs = append(errs, o.Part.Finds(s.Name, s.Calls))
	}
	return o, errors.Join(errs...)
}

func serviceNames(app *runtime.App) []string {
	var names []string
	for _, s := range app.Services {
		names = append(names, s.Name)
	}
	return names
}

// together reports whether the process works together with others.
func (o *Options) together() bool {
	return o.Part.Services != nil || !strings.HasPrefix(o.store(), embeddedStore)
}

// Internal returns the handler for the internal listener: calls from other processes,
// and what says how this one is.
func (s *Server) Internal() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.calls)
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		mux.Handle("GET "+path, s.handler)
	}
	return mux
}
