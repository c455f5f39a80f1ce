package slowpoke

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// routeKey is a route as a router knows it, inside another one or not: what it is
// called is put together once.
type routeKey struct {
	outer  *counter
	method string
	path   [4]string
}

var (
	named   atomic.Pointer[map[routeKey]*counter]
	namedMu sync.Mutex // for adding
)

// keyOf returns the key of a route whose path has the given parts.
func keyOf(outer *counter, method string, path ...string) routeKey {
	k := routeKey{outer: outer, method: method}
	if copy(k.path[:], path) < len(path) {
		k.path[len(k.path)-1] = strings.Join(path[len(k.path)-1:], "")
	}
	return k
}

// counterOf returns the counter of a route.
func counterOf(k routeKey) *counter {
	if all := named.Load(); all != nil {
		if c, ok := (*all)[k]; ok {
			return c
		}
	}
	return addNamed(k)
}

func addNamed(k routeKey) *counter {
	namedMu.Lock()
	defer namedMu.Unlock()
	next := map[routeKey]*counter{}
	if all := named.Load(); all != nil {
		if len(*all) >= 4*most { // paths from outside cannot fill memory
			return routes.counter(others)
		}
		next = maps.Clone(*all)
	}
	next[k] = routes.counter(k.name())
	named.Store(&next)
	return next[k]
}

// name returns METHOD /path.
func (k routeKey) name() string {
	path := strings.NewReplacer("/*/", "/", "//", "/").Replace(strings.Join(k.path[:], ""))
	if k.path[1] != "" && path != "/" { // the last router's own root
		path = strings.TrimSuffix(path, "/")
	}
	if path == "" {
		path = unrouted
	} else if k.method != "" {
		path = k.method + " " + path
	}
	if k.outer == nil {
		return path
	}
	return join(k.outer.name, path)
}

// join returns the name of a route inside another: that of a mux behind
// http.StripPrefix is a part of the path only.
//
//	/api/, GET /rooms/{id}     → GET /api/rooms/{id}
//	/api/, GET /api/rooms/{id} → GET /api/rooms/{id}
//	/api/std/*, GET /std/rooms → GET /api/std/rooms
func join(outer, inner string) string {
	outerMethod, outerPath := split(outer)
	method, path := split(inner)
	if !strings.HasPrefix(path, "/") { // with a host, or no route
		return inner
	}
	if i := strings.IndexAny(outerPath, "{*:"); i >= 0 {
		outerPath = outerPath[:i]
	}
	outerPath = strings.TrimRight(outerPath, "/")
	if method == "" {
		method = outerMethod
	}
	if strings.HasPrefix(outerPath, "/") {
		path = overlap(outerPath, path)
	}
	if method == "" {
		return path
	}
	return method + " " + path
}

// overlap returns the path outer with inner behind it; what the end of one and the
// start of the other have in common is one thing.
func overlap(outer, inner string) string {
	for i := 0; i < len(outer); i++ {
		if rest := outer[i:]; rest[0] == '/' && (inner == rest || strings.HasPrefix(inner, rest+"/")) {
			return outer[:i] + inner
		}
	}
	return outer + inner
}

func split(pattern string) (method, path string) {
	if method, path, ok := strings.Cut(pattern, " "); ok && !strings.HasPrefix(method, "/") {
		return method, strings.TrimLeft(path, " \t")
	}
	return "", pattern
}
