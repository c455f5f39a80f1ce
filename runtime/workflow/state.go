package workflow

import (
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime/codec"
)

// Status is where in its life a workflow is.
type Status uint8

// The statuses. Completed, Failed and Cancelled are final.
const (
	Running   Status = iota + 1 // an execution has a lease
	Suspended                   // waits for a time, a signal, a child or an execution
	Parked                      // failed too often, or does not fit its log: a dead letter
	Completed                   // has returned a result
	Failed                      // has returned an error
	Cancelled
)

var statuses = [...]string{"", "running", "suspended", "parked", "completed", "failed", "cancelled"}

func (s Status) String() string {
	if int(s) < len(statuses) {
		return statuses[s]
	}
	return "invalid"
}

// MarshalText returns the status as String gives it.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Status) UnmarshalText(b []byte) error {
	status, ok := ParseStatus(string(b))
	if !ok {
		return fmt.Errorf("status %q: there is none of this name", b)
	}
	*s = status
	return nil
}

// ParseStatus returns the status with a name, as String gives it.
func ParseStatus(name string) (Status, bool) {
	for i, s := range statuses {
		if s == name && i > 0 {
			return Status(i), true
		}
	}
	return 0, false
}

// Final reports whether nothing will happen to the workflow any more.
func (s Status) Final() bool { return s >= Completed }

// head is what a workflow is, from its first commit on.
type head struct {
	method string
	args   []byte // CBOR
	code   string // hash of the code that started it
	start  time.Time
	parent string // id of the workflow that waits for it
	path   path   // of the step there
}

// state is what every commit of a workflow reads.
type state struct {
	status   Status
	epoch    uint64 // counts executions that have claimed it
	owner    uint64 // the last one of them
	failures int    // in a row
	steps    int    // in the log at the last failure
	reason   string // of the last failure
	stopped  string // the code that did not fit the log, if that is why it is parked
	awaits   []string
	changed  time.Time
}

// lease says where the workflow's row in the due index is, if it has one.
type lease struct {
	due  time.Time
	kind dueKind
}

// parcel is something sent to a workflow: a signal, or the end of a child.
type parcel struct {
	value []byte   // CBOR
	err   *failure // of a child
	at    time.Time
}

var (
	headCodec   = codec.Type[head]{Encode: encodeHead, Decode: decodeHead}
	stateCodec  = codec.Type[state]{Encode: encodeState, Decode: decodeState}
	leaseCodec  = codec.Type[lease]{Encode: encodeLease, Decode: decodeLease}
	parcelCodec = codec.Type[parcel]{Encode: encodeParcel, Decode: decodeParcel}
)

func encodeHead(e *codec.Encoder, v *head) {
	s := e.Struct(6)
	s.Field("Args")
	codec.EncodeBytes(e, &v.args)
	s.Field("Code")
	codec.EncodeString(e, &v.code)
	s.Field("Path")
	codec.EncodeSlice(e, &v.path, codec.EncodeInt)
	s.Field("Start")
	encodeInstant(e, &v.start)
	s.Field("Method")
	codec.EncodeString(e, &v.method)
	s.Field("Parent")
	codec.EncodeString(e, &v.parent)
	s.End()
}

func decodeHead(d *codec.Decoder, v *head) {
	for s := d.Struct(6); s.Next(); {
		switch string(s.Name) {
		case "Args":
			codec.DecodeBytes(d, &v.args)
		case "Code":
			codec.DecodeString(d, &v.code)
		case "Path":
			codec.DecodeSlice(d, &v.path, codec.DecodeInt)
		case "Start":
			decodeInstant(d, &v.start)
		case "Method":
			codec.DecodeString(d, &v.method)
		case "Parent":
			codec.DecodeString(d, &v.parent)
		default:
			s.Unknown()
		}
	}
}

func encodeState(e *codec.Encoder, v *state) {
	s := e.Struct(9)
	s.Field("Epoch")
	codec.EncodeUint(e, &v.epoch)
	s.Field("Owner")
	codec.EncodeUint(e, &v.owner)
	s.Field("Steps")
	codec.EncodeInt(e, &v.steps)
	s.Field("Awaits")
	codec.EncodeSlice(e, &v.awaits, codec.EncodeString)
	s.Field("Reason")
	codec.EncodeString(e, &v.reason)
	s.Field("Status")
	codec.EncodeUint(e, &v.status)
	s.Field("Changed")
	encodeInstant(e, &v.changed)
	s.Field("Stopped")
	codec.EncodeString(e, &v.stopped)
	s.Field("Failures")
	codec.EncodeInt(e, &v.failures)
	s.End()
}

func decodeState(d *codec.Decoder, v *state) {
	for s := d.Struct(9); s.Next(); {
		switch string(s.Name) {
		case "Epoch":
			codec.DecodeUint(d, &v.epoch)
		case "Owner":
			codec.DecodeUint(d, &v.owner)
		case "Steps":
			codec.DecodeInt(d, &v.steps)
		case "Awaits":
			codec.DecodeSlice(d, &v.awaits, codec.DecodeString)
		case "Reason":
			codec.DecodeString(d, &v.reason)
		case "Status":
			codec.DecodeUint(d, &v.status)
		case "Changed":
			decodeInstant(d, &v.changed)
		case "Stopped":
			codec.DecodeString(d, &v.stopped)
		case "Failures":
			codec.DecodeInt(d, &v.failures)
		default:
			s.Unknown()
		}
	}
}

func encodeLease(e *codec.Encoder, v *lease) {
	s := e.Struct(2)
	s.Field("Due")
	encodeInstant(e, &v.due)
	s.Field("Kind")
	codec.EncodeUint(e, &v.kind)
	s.End()
}

func decodeLease(d *codec.Decoder, v *lease) {
	for s := d.Struct(2); s.Next(); {
		switch string(s.Name) {
		case "Due":
			decodeInstant(d, &v.due)
		case "Kind":
			codec.DecodeUint(d, &v.kind)
		default:
			s.Unknown()
		}
	}
}

func encodeParcel(e *codec.Encoder, v *parcel) {
	s := e.Struct(3)
	s.Field("At")
	encodeInstant(e, &v.at)
	s.Field("Err")
	codec.EncodePointer(e, &v.err, encodeFailure)
	s.Field("Value")
	codec.EncodeBytes(e, &v.value)
	s.End()
}

func decodeParcel(d *codec.Decoder, v *parcel) {
	for s := d.Struct(3); s.Next(); {
		switch string(s.Name) {
		case "At":
			decodeInstant(d, &v.at)
		case "Err":
			codec.DecodePointer(d, &v.err, decodeFailure)
		case "Value":
			codec.DecodeBytes(d, &v.value)
		default:
			s.Unknown()
		}
	}
}
