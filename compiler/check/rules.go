package check

import (
	"go/types"
	"slices"
	"strings"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

const (
	errgroupPath = "golang.org/x/sync/errgroup"
)

// A rule says what is wrong with the functions of a package that is known by its
// export data only.
type rule struct {
	code   diag.Code            // of functions that are not named below; "" where nothing is wrong
	fine   []string             // functions, and types with all their methods, with nothing wrong
	except map[string]diag.Code // functions, or Type.Method, with a code of their own
}

// rules by import path. A package that is not listed is fine.
var rules = map[string]rule{
	"os": {code: diag.IO,
		fine:   []string{"IsExist", "IsNotExist", "IsPermission", "IsTimeout", "IsPathSeparator", "Expand", "NewSyscallError", "FileMode", "PathError", "SyscallError", "LinkError"},
		except: map[string]diag.Code{"Exit": diag.Exit, "Getenv": diag.Config, "LookupEnv": diag.Config, "Environ": diag.Config, "ExpandEnv": diag.Config}},
	"os/exec": {code: diag.IO}, "os/signal": {code: diag.IO}, "os/user": {code: diag.IO},
	"io/ioutil":    {code: diag.IO, fine: []string{"ReadAll", "NopCloser"}},
	"database/sql": {code: diag.IO, fine: []string{"NullString", "NullInt64", "NullInt32", "NullInt16", "NullByte", "NullBool", "NullFloat64", "NullTime", "Null"}},
	"syscall":      {code: diag.IO, fine: []string{"Errno"}},
	"plugin":       {code: diag.IO}, "log/syslog": {code: diag.IO}, "crypto/tls": {code: diag.IO}, "testing": {code: diag.IO},
	"net": {code: diag.IO, fine: []string{"ParseIP", "ParseCIDR", "ParseMAC", "JoinHostPort", "SplitHostPort", "IPv4", "IPv4Mask", "CIDRMask",
		"IP", "IPNet", "IPMask", "HardwareAddr", "AddrError", "ParseError", "OpError", "DNSError", "Error"}},
	"net/http": {code: diag.IO, fine: []string{"StatusText", "CanonicalHeaderKey", "DetectContentType", "ParseTime", "Header", "Cookie", "ParseCookie"}},
	"net/rpc":  {code: diag.IO}, "net/smtp": {code: diag.IO}, "net/http/httputil": {code: diag.IO}, "net/http/httptest": {code: diag.IO},
	"net/http/cgi": {code: diag.IO}, "net/http/fcgi": {code: diag.IO}, "net/http/pprof": {code: diag.IO}, "net/rpc/jsonrpc": {code: diag.IO},
	"path/filepath": {except: map[string]diag.Code{"Walk": diag.IO, "WalkDir": diag.IO, "Glob": diag.IO, "EvalSymlinks": diag.IO, "Abs": diag.IO}},
	"text/template": {except: map[string]diag.Code{"ParseFiles": diag.IO, "ParseGlob": diag.IO, "Template.ParseFiles": diag.IO, "Template.ParseGlob": diag.IO}},
	"html/template": {except: map[string]diag.Code{"ParseFiles": diag.IO, "ParseGlob": diag.IO, "Template.ParseFiles": diag.IO, "Template.ParseGlob": diag.IO}},
	"fmt":           {except: map[string]diag.Code{"Print": diag.Log, "Printf": diag.Log, "Println": diag.Log, "Scan": diag.IO, "Scanf": diag.IO, "Scanln": diag.IO}},
	"log": {code: diag.Log, fine: []string{"New"}, except: map[string]diag.Code{
		"Fatal": diag.Exit, "Fatalf": diag.Exit, "Fatalln": diag.Exit, "Logger.Fatal": diag.Exit, "Logger.Fatalf": diag.Exit, "Logger.Fatalln": diag.Exit}},
	"log/slog": {except: map[string]diag.Code{"Debug": diag.Log, "DebugContext": diag.Log, "Info": diag.Log, "InfoContext": diag.Log,
		"Warn": diag.Log, "WarnContext": diag.Log, "Error": diag.Log, "ErrorContext": diag.Log, "Log": diag.Log, "LogAttrs": diag.Log,
		"Logger.Debug": diag.Log, "Logger.DebugContext": diag.Log, "Logger.Info": diag.Log, "Logger.InfoContext": diag.Log, "Logger.Warn": diag.Log,
		"Logger.WarnContext": diag.Log, "Logger.Error": diag.Log, "Logger.ErrorContext": diag.Log, "Logger.Log": diag.Log, "Logger.LogAttrs": diag.Log}},
	"runtime": {except: map[string]diag.Code{"Goexit": diag.Exit, "SetFinalizer": diag.Goroutine, "AddCleanup": diag.Goroutine}},
	"time": {except: map[string]diag.Code{"Sleep": diag.Sleep, "After": diag.Sleep, "Tick": diag.Sleep, "NewTimer": diag.Sleep,
		"NewTicker": diag.Sleep, "AfterFunc": diag.Goroutine}},
	"context": {except: map[string]diag.Code{"WithValue": diag.Context, "Context.Value": diag.Context, "AfterFunc": diag.Goroutine}},
	"sync":    {except: map[string]diag.Code{"WaitGroup.Go": diag.Goroutine}},
	"reflect": {except: reflectWriters()},

	"golang.org/x/sync/singleflight": {code: diag.Goroutine},
}

// reflectWriters returns the functions of reflect that write through values or
// call what is in them, with a code.
func reflectWriters() map[string]diag.Code {
	codes := map[string]diag.Code{}
	for _, name := range []string{"Append", "AppendSlice", "Copy", "NewAt", "Select", "Swapper", "Value.Call", "Value.CallSlice",
		"Value.Clear", "Value.Grow", "Value.Pointer", "Value.Recv", "Value.Send", "Value.Set", "Value.SetBool", "Value.SetBytes",
		"Value.SetCap", "Value.SetComplex", "Value.SetFloat", "Value.SetInt", "Value.SetIterKey", "Value.SetIterValue", "Value.SetLen",
		"Value.SetMapIndex", "Value.SetPointer", "Value.SetString", "Value.SetUint", "Value.SetZero", "Value.TryRecv",
		"Value.TrySend", "Value.UnsafeAddr", "Value.UnsafePointer"} {
		codes[name] = diag.Unsafe
	}
	return codes
}

// ruleFor returns what is wrong with fn: a code; diag.Config for reading the
// environment; diag.Foreign for what cannot be known; "" for nothing.
func ruleFor(fn *types.Func) diag.Code {
	path := fn.Pkg().Path()
	r, ok := rules[path]
	if !ok {
		return unknownRule(fn.Pkg())
	}
	name, owner := fn.Name(), ""
	if recv := fn.Signature().Recv(); recv != nil {
		owner = typeOf(recv.Type())
		name = owner + "." + name
	}
	if code, ok := r.except[name]; ok {
		return code
	}
	if slices.Contains(r.fine, name) || owner != "" && slices.Contains(r.fine, owner) {
		return ""
	}
	return r.code
}

func typeOf(t types.Type) string {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.Obj().Name()
	}
	return ""
}

// outside are packages that only those import that mean to leave the process.
var outside = []string{"net", "net/http", "database/sql", "os/exec", "syscall"}

// trusted are third-party packages that import one of these and leave their
// callers alone.
var trusted = []string{"github.com/google/uuid", ir.Library, errgroupPath}

// unknownRule suspects packages of other modules that import the outside world.
func unknownRule(pkg *types.Package) diag.Code {
	first, _, _ := strings.Cut(pkg.Path(), "/")
	if !strings.Contains(first, ".") || slices.Contains(trusted, pkg.Path()) {
		return ""
	}
	for _, imp := range pkg.Imports() {
		if slices.Contains(outside, imp.Path()) {
			return diag.Foreign
		}
	}
	return ""
}
