//go:build unix

package local

import (
	"context"
	"net/http"
	"path"

	"github.com/onefold/onefold/instrument/slowpoke"
	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
)

// measured counts, for a causal profiler, the requests and calls that next answers.
// Without a poker beside the process it is next.
func measured(app *runtime.App, next http.Handler) http.Handler {
	if !slowpoke.Attached() {
		return next
	}
	methods := map[string]bool{} // Service/Method
	for _, s := range app.Services {
		for _, m := range s.Methods {
			methods[s.Name+"/"+m.Name] = true
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Requests have this path alone, calls another one before it.
		service, method := path.Split(r.URL.Path)
		if name := path.Base(service) + "/" + method; methods[name] { // all else is for who operates it
			slowpoke.Request(name)
		}
		next.ServeHTTP(w, r)
	})
}

// measuredCalls counts the calls to other processes.
func measuredCalls(next atomic.Elsewhere) atomic.Elsewhere {
	if !slowpoke.Attached() {
		return next
	}
	return countedCalls{next}
}

type countedCalls struct{ atomic.Elsewhere }

func (c countedCalls) Call(ctx context.Context, call *atomic.Call) (*atomic.Part, error) {
	slowpoke.Call(call.Service)
	return c.Elsewhere.Call(ctx, call)
}

// measuredStore counts the transactions that begin.
func measuredStore(next store.Engine) store.Engine {
	if !slowpoke.Attached() {
		return next
	}
	return countedStore{next}
}

type countedStore struct{ store.Engine }

func (s countedStore) ReadVersion(ctx context.Context) (store.Version, error) {
	slowpoke.Request("transaction")
	return s.Engine.ReadVersion(ctx)
}
