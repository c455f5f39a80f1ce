// Package zoo holds one type of every sort that codecs are generated for. Its
// codecs.go is the golden output of backend/codecgen; its tests put the
// generated code to work.
package zoo

import (
	"encoding/json"
	"errors"
	"image"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/onefold/onefold/runtime/codec/internal/zoo/lib"
)

//lint:file-ignore SA5008 The tags are as odd as encoding/json lets them be.

// Room is what most stored types are like.
type Room struct {
	Capacity int      `json:"capacity"`
	Guests   []string `json:"guests"`
}

// Scalars has every predeclared type, without complex numbers.
type Scalars struct {
	B    bool
	I    int
	I8   int8
	I16  int16
	I32  int32
	I64  int64
	U    uint
	U8   uint8
	U16  uint16
	U32  uint32
	U64  uint64
	P    uintptr
	F32  float32
	F64  float64
	S    string
	Byte byte
	Rune rune
}

// Named types of every kind.
type (
	Flag   bool
	ID     int64
	Count  uint16
	Ratio  float32
	Name   string
	Names  []Name
	Blob   []byte
	Octet  byte
	Octets []Octet
	Digest [4]byte
	Grid   [2][3]int
	Ages   map[Name]ID
	Ref    *Room
	Tree   map[string]Tree
	List   []List
	Page   = lib.Pair[Room, ID]
)

// Kinds has named types of every kind.
type Kinds struct {
	Flag   Flag
	ID     ID
	Count  Count
	Ratio  Ratio
	Name   Name
	Names  Names
	Blob   Blob
	Octets Octets
	Raw    []Octet
	Bytes  []byte
	Digest Digest
	Sum    [3]byte
	Grid   Grid
	Ages   Ages
	Ref    Ref
	Tree   Tree
	List   List
}

// Node is recursive through every sort of reference.
type Node struct {
	Label    string           `json:"label"`
	Next     *Node            `json:"next,omitempty"`
	Children []*Node          `json:"children,omitempty"`
	Copies   []Node           `json:"copies,omitempty"`
	ByName   map[string]*Node `json:"byName,omitempty"`
}

// Deep has references to references.
type Deep struct {
	PP   **int
	PS   *[]string
	PM   *map[string]int
	PPS  **[]string
	MSP  map[string][]*Room
	SMS  []map[int][]uint8
	AP   [2]*Room
	PA   *[2]Room
	Anon struct {
		X, Y  int
		Inner []struct{ Z string }
	}
	Empty struct{}
	None  [0]int
	_     int
}

// Keys has a map of every sort of key.
type Keys struct {
	S map[string]int
	N map[Name]int
	I map[int8]string
	D map[ID]string
	U map[Count]string
	R map[rune]bool
	T map[Level]int
	A map[uuid.UUID]int
}

// StoredKeys has maps that JSON does not have.
type StoredKeys struct {
	B map[bool]int
	G map[Grid]int
	D map[Digest]int
	C map[City]int
	S map[lib.Spot]int
	P map[image.Point]int
	A map[struct {
		N int
		S string
	}]int
	Z    map[struct{}]int
	C64  complex64
	C128 complex128
}

// City is a key of several parts.
type City struct {
	Country string
	Zip     int
	Pos     [2]int8
	Home    bool
	spot    lib.Spot
	_       int
}

// Level is an integer with a text.
type Level int

// MarshalText returns low or high.
func (l Level) MarshalText() ([]byte, error) {
	switch l {
	case 0:
		return []byte("low"), nil
	case 1:
		return []byte("high"), nil
	}
	return nil, errors.New("no such level")
}

// UnmarshalText reads low or high.
func (l *Level) UnmarshalText(text []byte) error {
	switch string(text) {
	case "low":
		*l = 0
	case "high":
		*l = 1
	default:
		return errors.New("no such level")
	}
	return nil
}

// Odd has its own JSON.
type Odd struct {
	a, b int
	tags []string
}

// MarshalJSON returns an array with white space and what HTML escapes.
func (o Odd) MarshalJSON() ([]byte, error) { return json.Marshal([]any{o.a, o.b, "<&>"}) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (o *Odd) UnmarshalJSON(b []byte) error {
	var parts []any
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	if len(parts) < 2 {
		return errors.New("want two numbers")
	}
	x, ok := parts[0].(float64)
	y, ok2 := parts[1].(float64)
	if !ok || !ok2 {
		return errors.New("want two numbers")
	}
	o.a, o.b = int(x), int(y)
	return nil
}

// Foreign has types of other people's packages.
type Foreign struct {
	Time     time.Time
	Duration time.Duration
	Month    time.Month
	UUID     uuid.UUID
	Addr     netip.Addr
	Prefix   netip.Prefix
	IP       net.IP
	Big      *big.Int
	BigValue big.Int
	Rat      big.Rat
	Point    image.Point
	Values   url.Values
	Raw      json.RawMessage
	Level    Level
	Odd      Odd
	Odds     []Odd
	PT       *time.Time
}

// Stored has foreign types that JSON loses.
type Stored struct {
	Float big.Float
	URL   url.URL
}

// Tags has every option of the json tag.
type Tags struct {
	Skip      int               `json:"-"`
	Dash      int               `json:"-,"`
	Renamed   string            `json:"re<named>&"`
	Invalid   string            `json:"inva\"lid"`
	Empty     string            `json:",omitempty"`
	EmptyI    int               `json:"ei,omitempty"`
	EmptyB    bool              `json:"eb,omitempty"`
	EmptyF    float64           `json:"ef,omitempty"`
	EmptyS    []int             `json:"es,omitempty"`
	EmptyM    map[string]int    `json:"em,omitempty"`
	EmptyP    *int              `json:"ep,omitempty"`
	EmptyA    [0]int            `json:"ea,omitempty"`
	EmptyR    Room              `json:"er,omitempty"`
	ZeroI     int               `json:"zi,omitzero"`
	ZeroF     float64           `json:"zf,omitzero"`
	ZeroS     []int             `json:"zs,omitzero"`
	ZeroT     time.Time         `json:"zt,omitzero"`
	ZeroPT    *time.Time        `json:"zpt,omitzero"`
	ZeroP     image.Point       `json:"zp,omitzero"`
	ZeroA     [2]float64        `json:"za,omitzero"`
	ZeroR     Room              `json:"zr,omitzero"`
	ZeroN     Name              `json:"zn,omitzero"`
	Both      map[string]string `json:"both,omitempty,omitzero"`
	QuotedI   int               `json:"qi,string"`
	QuotedU   uint8             `json:"qu,string"`
	QuotedF   float64           `json:"qf,string"`
	QuotedB   Flag              `json:"qb,string"`
	QuotedS   string            `json:"qs,string"`
	QuotedP   *int              `json:"qp,string"`
	NotQuoted []int             `json:"nq,string"`
	hidden    int
}

type inner struct {
	Deep   string
	Common int
	own    int
}

// Middle is embedded by pointer.
type Middle struct {
	Level2 int `json:"level2"`
	Common string
}

// Tagged is embedded with a name.
type Tagged struct{ T int }

// Embedding embeds structs in every way.
type Embedding struct {
	lib.Base
	inner
	*Middle
	Tagged `json:"tagged"`
	Name
	ID int `json:"own"`
}

// Stamped embeds a type whose methods it gets.
type Stamped struct {
	time.Time
	By string
}

// Generic has instances of generic types.
type Generic struct {
	Ints   lib.Page[int]
	Strs   *lib.Page[string]
	Pair   lib.Pair[Room, []ID]
	Nested lib.Pair[lib.Pair[int, string], *Box[Room]]
	Box    Box[inner]
}

// Box is a generic type of this package.
type Box[T any] struct {
	value T
	Times []time.Time
}

// Many has more members than most.
type Many struct {
	A, B, C, D, E, F, G, H, I, J, K, L int
}

// None has no fields.
type None struct{}

// e and v have the names of the generated code's variables.
type (
	e struct{ V v }
	v struct{ E []e }
)

// Holder has fields of types that are hard to name.
type Holder struct {
	E e
	V []v
	H lib.Hidden
}
