package local

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/console"
	"github.com/onefold/onefold/runtime/example"
)

// announce prints what is served where, and a request to try.
func (s *Server) announce(ctx context.Context, at *addresses) {
	state := strings.TrimPrefix(s.opts.store(), embeddedStore)
	if at.internal != nil {
		fmt.Fprintf(s.opts.Out, "%s answers calls of other processes at %s, state in %s\n", s.app.Name, at.internal.Addr(), state)
	}
	if at.public == nil {
		return
	}
	address := at.public.Addr()
	fmt.Fprintf(s.opts.Out, "%s serves at http://%s, state in %s\n\n", s.app.Name, address, state)
	table := tabwriter.NewWriter(s.opts.Out, 0, 0, 2, ' ', 0)
	for _, service := range s.app.Services {
		for _, m := range service.Methods {
			kind := m.Kind.String()
			if len(m.Params) > 0 {
				kind = fmt.Sprintf("%-*s  %s", len("read-only"), kind, strings.Join(m.Params, ", "))
			}
			fmt.Fprintf(table, "  POST /%s/%s\t%s\n", service.Name, m.Name, kind)
		}
	}
	fmt.Fprint(table, "  GET /openapi.json\n")
	table.Flush()
	fmt.Fprintf(s.opts.Out, "\nConsole: http://%s%s\n", address, console.Path)
	if s.client != nil {
		return // a request to try may need processes that start later
	}
	if path, body, ok := s.tryable(ctx); ok {
		fmt.Fprintf(s.opts.Out, "\nTry:\n\n  curl -H 'Content-Type: application/json' -d %s http://%s%s\n", shellQuote(body), address, path)
	}
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// tryable returns a request that works on the state as it is. Candidates are run
// and rolled back; a method that writes is preferred, for it can succeed on an
// empty store and shows more.
func (s *Server) tryable(ctx context.Context) (path, body string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	examples := example.New(s.app.OpenAPI)
	for _, kind := range []runtime.Kind{runtime.Atomic, runtime.ReadOnly, runtime.Stateless} {
		for _, service := range s.app.Services {
			for _, m := range service.Methods {
				path := "/" + service.Name + "/" + m.Name
				body, known := examples.Body(path, m.Params)
				if m.Kind == kind && known && s.succeeds(ctx, m, body) {
					return path, body, true
				}
			}
		}
	}
	return "", "", false
}

// succeeds reports whether a request would succeed, without making it.
func (s *Server) succeeds(ctx context.Context, m *runtime.Method, body string) bool {
	return nil == s.runner.Read(ctx, func(ctx context.Context, tx *atomic.Tx) error {
		args, err := codec.ParseArgs([]byte(body))
		if err != nil {
			return err
		}
		_, err = m.Call(ctx, tx, args, nil)
		return err
	})
}
