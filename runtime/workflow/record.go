package workflow

import (
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime/codec"
)

// stepKind is what a step does.
type stepKind uint8

const (
	callStep stepKind = iota + 1
	childStep
	sleepStep
	effectStep
	awaitStep
	signalStep
	messageStep
	groupStep // has no record of its own
)

var stepKinds = [...]string{"", "call", "child", "sleep", "effect", "await", "signal", "message", "group"}

func (k stepKind) String() string {
	if int(k) < len(stepKinds) {
		return stepKinds[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// progress is how far a step is.
type progress uint8

const (
	done progress = iota
	waiting
	timedOut
)

// record is one step in the log.
type record struct {
	kind  stepKind
	name  string // what it calls, or waits for
	args  uint64 // hash
	from  time.Time
	at    time.Time // when it was done, or began to wait
	due   time.Time // when to wait no longer; zero is never
	state progress
	value []byte   // CBOR
	err   *failure // that the step ended in
}

// is reports whether the step is of this kind and target.
func (r *record) is(kind stepKind, name string) bool { return r.kind == kind && r.name == name }

var recordCodec = codec.Type[record]{Encode: encodeRecord, Decode: decodeRecord}

func encodeRecord(e *codec.Encoder, v *record) {
	s := e.Struct(9)
	s.Field("At")
	encodeInstant(e, &v.at)
	s.Field("Due")
	encodeInstant(e, &v.due)
	s.Field("Err")
	codec.EncodePointer(e, &v.err, encodeFailure)
	s.Field("Args")
	codec.EncodeUint(e, &v.args)
	s.Field("From")
	encodeInstant(e, &v.from)
	s.Field("Kind")
	codec.EncodeUint(e, &v.kind)
	s.Field("Name")
	codec.EncodeString(e, &v.name)
	s.Field("State")
	codec.EncodeUint(e, &v.state)
	s.Field("Value")
	codec.EncodeBytes(e, &v.value)
	s.End()
}

func decodeRecord(d *codec.Decoder, v *record) {
	for s := d.Struct(9); s.Next(); {
		switch string(s.Name) {
		case "At":
			decodeInstant(d, &v.at)
		case "Due":
			decodeInstant(d, &v.due)
		case "Err":
			codec.DecodePointer(d, &v.err, decodeFailure)
		case "Args":
			codec.DecodeUint(d, &v.args)
		case "From":
			decodeInstant(d, &v.from)
		case "Kind":
			codec.DecodeUint(d, &v.kind)
		case "Name":
			codec.DecodeString(d, &v.name)
		case "State":
			codec.DecodeUint(d, &v.state)
		case "Value":
			codec.DecodeBytes(d, &v.value)
		default:
			s.Unknown()
		}
	}
}

// Instants are nanoseconds since 1970, in UTC: which zone a process has must not
// show in what it replays.
func encodeInstant(e *codec.Encoder, v *time.Time) {
	n := unixNano(*v)
	codec.EncodeInt(e, &n)
}

func decodeInstant(d *codec.Decoder, v *time.Time) {
	var n int64
	codec.DecodeInt(d, &n)
	*v = fromUnixNano(n)
}

func unixNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromUnixNano(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// mustAppend encodes a value of this package, which cannot fail.
func mustAppend[T any](t codec.Type[T], v *T) []byte {
	b, err := t.Append(make([]byte, 0, 256), v)
	if err != nil {
		panic(fmt.Errorf("workflow: encode %T: %w", v, err))
	}
	return b
}

// parse decodes a stored value of this package.
func parse[T any](t codec.Type[T], key, b []byte) (*T, error) {
	v := new(T)
	if err := t.Parse(b, v); err != nil {
		return nil, fmt.Errorf("workflow: stored value of %q is damaged: %w", key, err)
	}
	return v, nil
}
