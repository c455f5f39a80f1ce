package peer

import (
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/wire"
)

// A call is the body of a POST to pathPrefix/Service/Method; its reply begins with
// what became of the call.
const (
	pathPrefix  = "/onefold/call/"
	contentType = "application/vnd.onefold.call"
	wireVersion = 2

	// maxMessage has room for a full transaction, the arguments and the length of each part.
	maxMessage = 64 << 20
)

// outcome is what became of a call.
type outcome byte

// The outcomes.
const (
	performed   outcome = iota // a part follows
	panicked                   // the panic's value, its stack
	tooOld                     // text
	tooLarge                   // text
	unreachable                // text
	late                       // text: no time left
	failed                     // text
)

// errMessage says that a message is malformed.
var errMessage = errors.New("malformed message; do both processes run the same version of onefold?")

// end reports a message that was not read to its end, or further.
func end(r *wire.Reader) error {
	if !r.Ended() {
		return errMessage
	}
	return nil
}

// Flags of a call.
const (
	flagReadOnly = 1 << iota
	flagSequential
	flagEnded
	flagDeadline
)

// appendCall appends the body of a call. The caller's deadline travels as the time
// that is left: clocks differ.
func appendCall(b []byte, c *atomic.Call, now time.Time) []byte {
	limited := !c.Context.Deadline.IsZero()
	b = append(b, wireVersion, flag(c.ReadOnly, flagReadOnly)|flag(c.Sequential, flagSequential)|
		flag(c.Context.Ended, flagEnded)|flag(limited, flagDeadline))
	b = append(b, c.ID[:]...)
	b = wire.AppendBytes(b, c.Path)
	b = wire.AppendUint(b, uint64(c.Version))
	if limited {
		b = wire.AppendUint(b, uint64(max(c.Context.Deadline.Sub(now), 0)))
	}
	b = wire.AppendBytes(b, c.Args)
	return wire.AppendOps(b, c.Pending)
}

func flag(set bool, f byte) byte {
	if set {
		return f
	}
	return 0
}

// parseCall reads the body of a call.
func parseCall(b []byte, now time.Time) (*atomic.Call, error) {
	r := wire.NewReader(b)
	if v := r.Byte(); v != wireVersion {
		return nil, fmt.Errorf("%w (version %d, want %d)", errMessage, v, wireVersion)
	}
	flags := r.Byte()
	c := &atomic.Call{ReadOnly: flags&flagReadOnly != 0, Sequential: flags&flagSequential != 0}
	for i := range c.ID {
		c.ID[i] = r.Byte()
	}
	c.Path = r.Text()
	c.Version = store.Version(r.Uint())
	c.Context.Ended = flags&flagEnded != 0
	if flags&flagDeadline != 0 {
		c.Context.Deadline = now.Add(time.Duration(r.Uint()))
	}
	c.Args = r.Bytes()
	c.Pending = r.Ops()
	return c, end(&r)
}

// appendPart appends the reply to a call that was performed.
func (e *errorTable) appendPart(b []byte, p *atomic.Part) []byte {
	b = append(b, byte(performed))
	b = wire.AppendBytes(b, p.Results)
	b = wire.AppendUint(b, uint64(p.Calls))
	b = wire.AppendUint(b, uint64(p.Stats.Gets))
	b = wire.AppendUint(b, uint64(p.Stats.Ranges))
	b = wire.AppendRanges(b, p.Reads)
	b = wire.AppendRanges(b, p.Inherited)
	b = wire.AppendOps(b, p.Ops)
	b = appendList(b, p.Chunked)
	b = appendList(b, p.Hints)
	return e.append(b, p.Err, 0)
}

func appendList(b []byte, list [][]byte) []byte {
	b = wire.AppendUint(b, uint64(len(list)))
	for _, v := range list {
		b = wire.AppendBytes(b, v)
	}
	return b
}

func listOf(r *wire.Reader) [][]byte {
	list := make([][]byte, r.Count(1))
	for i := range list {
		list[i] = r.Bytes()
	}
	return list
}

// part reads what appendPart wrote behind the outcome.
func (e *errorTable) part(r *wire.Reader) (*atomic.Part, error) {
	p := &atomic.Part{Results: r.Bytes(), Calls: int(r.Uint())}
	p.Stats.Gets, p.Stats.Ranges = int(r.Uint()), int(r.Uint())
	p.Reads, p.Inherited, p.Ops = r.Ranges(), r.Ranges(), r.Ops()
	p.Chunked, p.Hints = listOf(r), listOf(r)
	p.Err = e.parse(r, 0)
	return p, end(r)
}

// appendFailure appends the reply to a call that could not be performed.
func appendFailure(b []byte, err error) []byte {
	b = append(b, byte(outcomeOf(err)))
	var p *atomic.PanicError
	if errors.As(err, &p) {
		return wire.AppendBytes(wire.AppendBytes(b, fmt.Sprint(p.Value)), p.Stack)
	}
	return wire.AppendBytes(b, err.Error())
}

// failureOf reads what appendFailure wrote behind the outcome.
func failureOf(r *wire.Reader, o outcome) error {
	text, stack := r.Text(), []byte(nil)
	if o == panicked {
		stack = r.Bytes()
	}
	if err := end(r); err != nil {
		return err
	}
	if o == panicked {
		return &atomic.PanicError{Value: text, Stack: stack}
	}
	for _, f := range failures {
		if f.outcome == o {
			return &failure{text: text, kind: f.err}
		}
	}
	return &failure{text: text}
}
