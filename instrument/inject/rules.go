package inject

import "strings"

// rule says what of the runtime is put around a function.
type rule struct {
	kind Kind
	pkg  string // of the runtime
	fn   string
	// result says that it is put around the result of a call; otherwise it is put around
	// the function itself, called or not.
	result bool
}

// functions are the rules by the functions' full names. What is before the last slash
// of a router's path may have a version.
var functions = map[string]rule{
	"net/http.HandleFunc":             {kind: Route, pkg: "slowpoke", fn: "HandleFunc"},
	"(*net/http.ServeMux).HandleFunc": {kind: Route, pkg: "slowpoke", fn: "HandleFunc"},
	"net/http.Handle":                 {kind: Route, pkg: "slowpoke", fn: "Handle"},
	"(*net/http.ServeMux).Handle":     {kind: Route, pkg: "slowpoke", fn: "Handle"},

	"net/http.ListenAndServe":    {kind: Server, pkg: "slowpoke", fn: "ListenAndServe"},
	"net/http.ListenAndServeTLS": {kind: Server, pkg: "slowpoke", fn: "ListenAndServeTLS"},
	"net/http.Serve":             {kind: Server, pkg: "slowpoke", fn: "Serve"},
	"net/http.ServeTLS":          {kind: Server, pkg: "slowpoke", fn: "ServeTLS"},

	"net/http/httputil.NewSingleHostReverseProxy": {kind: Client, pkg: "slowpoke", fn: "ReverseProxy", result: true},

	"google.golang.org/grpc.NewServer":   {kind: Server, pkg: "slowgrpc", fn: "NewServer"},
	"google.golang.org/grpc.NewClient":   {kind: Client, pkg: "slowgrpc", fn: "NewClient"},
	"google.golang.org/grpc.Dial":        {kind: Client, pkg: "slowgrpc", fn: "NewClient"},
	"google.golang.org/grpc.DialContext": {kind: Client, pkg: "slowgrpc", fn: "DialContext"},

	"github.com/go-chi/chi.NewRouter":  {kind: Server, pkg: "slowchi", fn: "Router", result: true},
	"github.com/go-chi/chi.NewMux":     {kind: Server, pkg: "slowchi", fn: "Router", result: true},
	"github.com/gorilla/mux.NewRouter": {kind: Server, pkg: "slowmux", fn: "Router", result: true},
	"github.com/gin-gonic/gin.New":     {kind: Server, pkg: "slowgin", fn: "Engine", result: true},
	"github.com/gin-gonic/gin.Default": {kind: Server, pkg: "slowgin", fn: "Engine", result: true},
	"github.com/labstack/echo.New":     {kind: Server, pkg: "slowecho", fn: "Echo", result: true},
}

// madeTypes are the rules by the full names of types, for values that are made without a
// function: T{}, &T{} and new(T). The runtime takes and returns pointers.
var madeTypes = map[string]rule{
	"github.com/gorilla/mux.Router": {kind: Server, pkg: "slowmux", fn: "Router", result: true},
}

// field says how a field is measured: what is put into it is wrapped, and what is read
// from it is unwrapped.
type field struct {
	kind         Kind
	wrap, unwrap string
	// zero says that the field is measured if it is left out, too; make is for
	// new(T).
	zero bool
	make string
}

// fields are the measured fields by their types' names and their own.
var fields = map[string]field{
	"net/http.Server.Handler":                  {kind: Server, wrap: "Handler", unwrap: "Unwrap"},
	"net/http.Client.Transport":                {kind: Client, wrap: "Transport", unwrap: "Base", zero: true, make: "Client"},
	"net/http/httputil.ReverseProxy.Transport": {kind: Client, wrap: "Transport", unwrap: "Base", zero: true, make: "ReverseProxy"},
}

// registrations are the methods of routers that register a handler. Nothing is put around
// them, since their router is measured, but they are listed, and can be skipped.
var registrations = map[string][]string{
	"github.com/go-chi/chi":    {"Get", "Post", "Put", "Patch", "Delete", "Head", "Options", "Connect", "Trace", "Handle", "HandleFunc", "Method", "MethodFunc"},
	"github.com/gorilla/mux":   {"Handle", "HandleFunc", "Handler", "HandlerFunc"},
	"github.com/gin-gonic/gin": {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "Any", "Handle"},
	"github.com/labstack/echo": {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "Any", "Add"},
}

// skips are what leaves a handler of a type out.
var skips = map[string]struct{ pkg, fn string }{
	"net/http.Handler":     {"slowpoke", "Skip"},
	"net/http.HandlerFunc": {"slowpoke", "SkipFunc"},
	"func(net/http.ResponseWriter, *net/http.Request)": {"slowpoke", "SkipFunc"},
	"github.com/gin-gonic/gin.HandlerFunc":             {"slowgin", "Skip"},
	"github.com/labstack/echo.HandlerFunc":             {"slowecho", "Skip"},
}

// sample is the import path by which a router's package of the runtime knows it. In a
// module it is replaced by the one that the module uses.
var sample = map[string]string{
	"slowchi":  "github.com/go-chi/chi/v5",
	"slowmux":  "github.com/gorilla/mux",
	"slowgin":  "github.com/gin-gonic/gin",
	"slowecho": "github.com/labstack/echo/v4",
}

// unversioned returns a name of the tables without the version of its module:
// github.com/go-chi/chi/v5.NewRouter is github.com/go-chi/chi.NewRouter. The paths that
// are no routers' stay as they are.
func unversioned(name string) string {
	for _, path := range sample {
		base := strings.TrimSuffix(strings.TrimSuffix(path, "/v5"), "/v4")
		i := strings.Index(name, base+"/v")
		if i < 0 {
			continue
		}
		rest := name[i+len(base)+2:]
		return name[:i+len(base)] + strings.TrimLeft(rest, "0123456789")
	}
	return name
}
