package alias

import (
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/ir"
)

// effect says what a function without a body does with the memory it is given.
type effect struct {
	changes []int // parameters whose memory it changes in place; of an interface, what is in it
	appends []int // parameters it appends to
	returns int   // 1 + the parameter that it returns; 0 for none
	flags   ref   // of what it returns
	grows   bool  // what it returns may be a copy
	holds   bool  // its result is new memory that holds elements of what it was given
	copies  bool  // it copies the second parameter's elements into the first
}

// effects lists the functions whose effect the rules of effectOf would get wrong.
// Parameters count from 0, a receiver not included.
var effects = map[string]effect{
	"slices.Sort":           {changes: []int{0}},
	"slices.SortFunc":       {changes: []int{0}},
	"slices.SortStableFunc": {changes: []int{0}},
	"slices.Reverse":        {changes: []int{0}},
	"slices.Delete":         {changes: []int{0}, returns: 1, flags: short},
	"slices.DeleteFunc":     {changes: []int{0}, returns: 1, flags: short},
	"slices.Compact":        {changes: []int{0}, returns: 1, flags: short},
	"slices.CompactFunc":    {changes: []int{0}, returns: 1, flags: short},
	"slices.Insert":         {changes: []int{0}, returns: 1, grows: true, holds: true},
	"slices.Replace":        {changes: []int{0}, returns: 1, flags: short, grows: true, holds: true},
	"slices.AppendSeq":      {appends: []int{0}, returns: 1, grows: true, holds: true},
	"slices.Grow":           {returns: 1, grows: true, holds: true},
	"slices.Clip":           {returns: 1, flags: clipped},

	"sort.Slice":       {changes: []int{0}},
	"sort.SliceStable": {changes: []int{0}},
	"sort.Sort":        {changes: []int{0}},
	"sort.Stable":      {changes: []int{0}},
	"sort.Strings":     {changes: []int{0}},
	"sort.Ints":        {changes: []int{0}},
	"sort.Float64s":    {changes: []int{0}},
	"sort.Reverse":     {returns: 1, holds: true},

	"maps.Copy":       {changes: []int{0}, copies: true},
	"maps.DeleteFunc": {changes: []int{0}},
	"maps.Insert":     {changes: []int{0}, copies: true},

	"container/heap.Init":   {changes: []int{0}},
	"container/heap.Push":   {changes: []int{0}},
	"container/heap.Pop":    {changes: []int{0}},
	"container/heap.Fix":    {changes: []int{0}},
	"container/heap.Remove": {changes: []int{0}},

	"bytes.NewBuffer": {returns: 1, holds: true},
	"bytes.NewReader": {returns: 1, holds: true},
	"bytes.TrimSpace": {returns: 1},
	"bytes.Trim":      {returns: 1},

	"errors.Is":     {},
	"errors.As":     {},
	"errors.Unwrap": {holds: true},
	"errors.Join":   {holds: true},
	"fmt.Errorf":    {holds: true},

	"io.ReadFull": {changes: []int{1}},
}

// readers are the packages whose functions change nothing that they are given
// but their receiver, unless their name says so (see changing).
var readers = []string{
	"bufio", "bytes", "cmp", "context", "encoding", "errors", "fmt", "hash", "crypto", "html", "io", "iter", "log", "maps",
	"math", "net/netip", "net/url", "path", "reflect", "regexp", "slices", "sort", "strconv", "strings", "text", "time",
	"unicode", "sync", "golang.org/x/sync", "github.com/google/uuid", "github.com/onefold/onefold",
}

// changing are the beginnings of the names of functions in readers that write
// into what they are given.
var changing = []string{"Unmarshal", "Decode", "Read", "Scan", "Sscan", "Fscan", "Put", "Fill", "Shuffle", "XORBytes"}

// keepers are the packages whose results hold elements of what they are given.
var keepers = []string{"slices", "maps", "iter", "context", "sync"}

// effectOf returns what fn does.
func effectOf(fn *ssa.Function) effect {
	path, name := origin(fn)
	if path == ir.Library {
		return effect{} // what is carried is copied
	}
	if e, ok := effects[path+"."+name]; ok && fn.Signature.Recv() == nil {
		return e
	}
	known := slices.ContainsFunc(readers, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
	writes := !known || slices.ContainsFunc(changing, func(p string) bool { return strings.HasPrefix(name, p) })
	e := effect{holds: !known || slices.Contains(keepers, path)}
	params := fn.Signature.Params()
	if known && strings.HasPrefix(name, "Append") && params.Len() > 0 && isSlice(params.At(0).Type()) {
		return effect{appends: []int{0}, returns: 1, grows: true}
	}
	for i := range params.Len() {
		if writes && changeable(params.At(i).Type(), known) {
			e.changes = append(e.changes, i)
		}
	}
	return e
}

// origin returns the package path and name of fn, or of the generic function it instantiates.
func origin(fn *ssa.Function) (path, name string) {
	if fn.Origin() != nil {
		fn = fn.Origin()
	}
	obj := fn.Object()
	if obj == nil || obj.Pkg() == nil {
		return "", fn.Name()
	}
	return obj.Pkg().Path(), obj.Name()
}

// changeable reports whether a function can change memory through a parameter
// of type t; an interface counts where the function's name says that it writes.
func changeable(t types.Type, interfaces bool) bool {
	switch t.Underlying().(type) {
	case *types.Slice, *types.Map, *types.Pointer:
		return true
	case *types.Interface:
		return interfaces && types.IsInterface(t) && t.Underlying().(*types.Interface).NumMethods() == 0
	}
	return false
}

// pureText reports whether fn computes plain values from plain values.
func pureText(fn *ssa.Function) bool {
	path, _ := origin(fn)
	return slices.Contains([]string{"strings", "strconv", "path", "math", "unicode", "cmp", "net/url", "html"}, path)
}

func isSlice(t types.Type) bool {
	_, ok := t.Underlying().(*types.Slice)
	return ok
}

func isMap(t types.Type) bool {
	_, ok := t.Underlying().(*types.Map)
	return ok
}
