package storable_test

import (
	"go/types"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/storable"
)

// The types under test. Package foreign stands for other people's code.
const source = `
-- foreign/foreign.go --
package foreign

type Open struct{ A, B int }

type Closed struct{ A, b int }

type Half struct{ Open; C Closed }

type Binary struct{ a int }

func (b Binary) MarshalBinary() ([]byte, error)     { return nil, nil }
func (b *Binary) UnmarshalBinary(data []byte) error { return nil }

type Writer struct{ a int }

func (w Writer) MarshalText() ([]byte, error) { return nil, nil }

type Promoted struct {
	Binary
	more int
}

type Number int

func (n Number) MarshalText() ([]byte, error)     { return nil, nil }
func (n *Number) UnmarshalText(text []byte) error { return nil }
-- app/sub/sub.go --
package sub

type Page[T any] struct {
	Items []T
	next  string
}

type Pair[A, B any] struct {
	A A
	B B
}

type Secret struct{ s string }
-- app/app.go --
package app

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
	"unsafe"

	"example.com/app/app/sub"
	"example.com/app/foreign"
)

type Service struct{ n int }

type Room struct {
	Capacity int
	guests   []string
}

type (
	Node      struct{ Next *Node; Kids map[string][]Node }
	Chan      struct{ A struct{ B []chan int } }
	Func      struct{ F func() }
	Iface     struct{ M map[string]any }
	Err       struct{ E error }
	Unsafe    struct{ P unsafe.Pointer }
	Locked    struct{ mu sync.Mutex }
	Owner     struct{ s *Service }
	Client    struct{ C *http.Client }
	Kept      time.Time
	Times     struct{ T time.Time; D time.Duration }
	UsesOpen  struct{ O foreign.Open }
	UsesShut  struct{ C []foreign.Closed }
	UsesHalf  struct{ H foreign.Half }
	UsesBin   struct{ B *foreign.Binary }
	UsesText  struct{ W foreign.Writer }
	UsesProm  struct{ P foreign.Promoted }
	Mine      sub.Secret
	Ints      = sub.Page[int]
	Rooms     = sub.Page[Room]
	Pairs     = sub.Pair[Room, []Room]
	FloatKey  map[float64]int
	PtrKey    map[*Room]int
	IfaceKey  map[any]int
	SliceKey  struct{ M map[struct{ A [2]float32 }]int }
	RoomKey   map[Point]Room
	Point     struct{ X, Y int; name string }
	Weird     struct{ _ chan int; A int }
	Number    struct{ N json.Number }
	Raw       struct{ R json.RawMessage }
	Complex   struct{ C complex128 }
	Hidden    struct{ c complex128; A int }
	Skipped   struct{ C complex128 ` + "`json:\"-\"`" + ` }
	Quoted    struct{ N *foreign.Number ` + "`json:\",string\"`" + ` }
	Levels    map[foreign.Number]int
)
`

func load(t *testing.T) (storable.Checker, *types.Scope) {
	t.Helper()
	src, diags := compiletest.Parse("types", source).Source()
	if diags.HasErrors() {
		var b strings.Builder
		diags.Print(&b, "")
		t.Fatal(b.String())
	}
	var scope *types.Scope
	for _, p := range src.Packages {
		if p.Types.Name() == "app" {
			scope = p.Types.Scope()
		}
	}
	return storable.Checker{
		Own:     func(p *types.Package) bool { return p.Name() == "app" || p.Name() == "sub" },
		Service: func(obj *types.TypeName) bool { return obj.Name() == "Service" },
	}, scope
}

func check(t *testing.T, scope *types.Scope, check func(types.Type) *storable.Problem, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for name := range want {
		got[name] = ""
		if p := check(scope.Lookup(name).Type()); p != nil {
			got[name] = p.Error()
			if p.Path != "" && !p.Pos.IsValid() && strings.ContainsAny(p.Path, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
				t.Errorf("%s: the problem has no position", name)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const (
	copyFix = "; copy what you need of it into a type of your own"
	keyFix  = "; use a string, integer, bool, fixed array or a struct of these"
)

func TestStored(t *testing.T) {
	c, scope := load(t)
	check(t, scope, c.Stored, map[string]string{
		"Room":     "",
		"Node":     "",
		"Chan":     "A.B[]: chan int: a channel cannot be stored; store the data that the channel would carry",
		"Func":     "F: func(): a function cannot be stored; store data that says which function to call",
		"Iface":    "M[]: any: an interface value cannot be stored: what is in it is not known; store a concrete type",
		"Err":      "E: error: an interface value cannot be stored: what is in it is not known; store a concrete type",
		"Unsafe":   "P: unsafe.Pointer: unsafe.Pointer cannot be stored; store what it refers to",
		"Locked":   "mu: sync.Mutex: sync.Mutex is no data; put it into the service itself, where the transaction does its work",
		"Owner":    "s: app.Service: a service is no data; keep the service in a field of the service that calls it",
		"Client":   "C.Transport: http.RoundTripper: an interface value cannot be stored: what is in it is not known; store a concrete type",
		"Kept":     "app.Kept: it has unexported fields (wall) and no MarshalBinary, GobEncode or MarshalText" + copyFix,
		"Times":    "",
		"UsesOpen": "",
		"UsesShut": "C[]: foreign.Closed: it has unexported fields (b) and no MarshalBinary, GobEncode or MarshalText" + copyFix,
		"UsesHalf": "H.C: foreign.Closed: it has unexported fields (b) and no MarshalBinary, GobEncode or MarshalText" + copyFix,
		"UsesBin":  "",
		"UsesText": "W: foreign.Writer: it has unexported fields (a) and no MarshalBinary, GobEncode or MarshalText" + copyFix,
		"UsesProm": "P: foreign.Promoted: it has unexported fields (more) and no MarshalBinary, GobEncode or MarshalText" + copyFix,
		"Mine":     "app.Mine: it has unexported fields (s) and no MarshalBinary, GobEncode or MarshalText" + copyFix,
		"Ints":     "",
		"Rooms":    "sub.Page[app.Room]: a generic type with unexported fields cannot be stored with type arguments that its package does not import; export its fields",
		"Pairs":    "",
		"FloatKey": "[key]: float64: float64 cannot be part of a key" + keyFix,
		"PtrKey":   "[key]: *app.Room: a pointer cannot be part of a key" + keyFix,
		"IfaceKey": "[key]: any: an interface cannot be part of a key" + keyFix,
		"SliceKey": "M[key].A[]: float32: float32 cannot be part of a key" + keyFix,
		"RoomKey":  "",
		"Weird":    "",
		"Complex":  "",
		"Raw":      "",
	})
}

func TestJSON(t *testing.T) {
	c, scope := load(t)
	check(t, scope, c.JSON, map[string]string{
		"Room":    "",
		"Node":    "",
		"Times":   "",
		"Raw":     "",
		"Levels":  "",
		"Skipped": "",
		"Hidden":  "",
		"Number":  "N: json.Number: json.Number changes its meaning outside encoding/json; use int64, float64 or string",
		"Complex": "C: complex128: complex numbers have no JSON form; send the two parts",
		"RoomKey": "app.RoomKey: a map with these keys has no JSON form; use string or integer keys, or give the key type MarshalText and UnmarshalText",
		"Quoted":  `N: *foreign.Number: a type that marshals itself ignores the option string; remove ",string" from its tag`,
		"Iface":   "M[]: any: an interface has no JSON form; send a concrete type",
	})
}

func TestKey(t *testing.T) {
	c, scope := load(t)
	check(t, scope, c.Key, map[string]string{
		"Point":   "",
		"Room":    "guests: []string: []string cannot be part of a key" + keyFix,
		"Service": "app.Service: a service is no data; keep the service in a field of the service that calls it",
		"Times":   "T: time.Time: its unexported fields (wall) cannot be reached" + keyFix,
		"Weird":   "",
	})
}

func TestHolds(t *testing.T) {
	c, scope := load(t)
	type holds struct{ Refs, Objects, Pointers bool }
	got := map[string]holds{}
	want := map[string]holds{
		"Room":    {true, true, false},
		"Node":    {true, true, true},
		"Point":   {},
		"Times":   {},
		"UsesBin": {true, true, true},
		"RoomKey": {true, true, false},
	}
	for name := range want {
		typ := scope.Lookup(name).Type()
		got[name] = holds{c.Refs(typ), c.Objects(typ), c.Pointers(typ)}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
