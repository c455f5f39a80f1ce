package workflow

import (
	"context"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// scheduled is what is stored of a schedule.
type scheduled struct {
	text string
	next time.Time
	last string // id of the last run
}

var scheduledCodec = codec.Type[scheduled]{Encode: encodeScheduled, Decode: decodeScheduled}

func encodeScheduled(e *codec.Encoder, v *scheduled) {
	s := e.Struct(3)
	s.Field("Last")
	codec.EncodeString(e, &v.last)
	s.Field("Next")
	encodeInstant(e, &v.next)
	s.Field("Text")
	codec.EncodeString(e, &v.text)
	s.End()
}

func decodeScheduled(d *codec.Decoder, v *scheduled) {
	for s := d.Struct(3); s.Next(); {
		switch string(s.Name) {
		case "Last":
			codec.DecodeString(d, &v.last)
		case "Next":
			decodeInstant(d, &v.next)
		case "Text":
			codec.DecodeString(d, &v.text)
		default:
			s.Unknown()
		}
	}
}

// ensureSchedules sees to it that the schedules of the program are in the due index.
func (l *loop) ensureSchedules(ctx context.Context) error {
	for _, m := range l.methods {
		d := l.workflows[m.MethodName()]
		if d == nil || d.schedule() == "" {
			continue
		}
		if err := l.ensureSchedule(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (l *loop) ensureSchedule(ctx context.Context, d definition) error {
	when, err := parseSchedule(d.schedule())
	if err != nil {
		return err
	}
	name := d.MethodName()
	return l.update(ctx, "schedule "+name, func(tx *atomic.Tx) error {
		key := l.keys.schedule(name)
		s, ok, err := readOne(tx, key, scheduledCodec)
		switch {
		case err != nil:
			return err
		case ok && s.text == d.schedule():
			tellDue(tx, shardOf(name), s.next)
			return nil
		case ok:
			tx.Clear(l.keys.due(s.next, name, dueSchedule))
		}
		s.text, s.next = d.schedule(), when.next(l.now())
		addDue(tx, l.keys, s.next, name, dueSchedule, nil)
		writeOne(tx, key, scheduledCodec, s)
		return nil
	})
}

// tick starts the run of a schedule that is due, unless the one before has not ended.
func (l *loop) tick(ctx context.Context, row dueRow) error {
	d := l.workflows[row.id]
	if d == nil {
		return ErrNoMethod
	}
	when, err := parseSchedule(d.schedule())
	if err != nil || when == nil {
		return errNothing
	}
	return l.update(ctx, "tick of "+row.id, func(tx *atomic.Tx) error {
		key := l.keys.schedule(row.id)
		s, ok, err := readOne(tx, key, scheduledCodec)
		if err != nil {
			return err
		}
		if !ok || !s.next.Equal(row.at) {
			tx.Clear(row.key)
			return nil
		}
		tick, next := lastTick(when, s.next, l.now())
		if err := l.startRun(tx, d, s, tick); err != nil {
			return err
		}
		tx.Clear(row.key)
		if s.next = next; !next.IsZero() {
			addDue(tx, l.keys, next, row.id, dueSchedule, nil)
		}
		writeOne(tx, key, scheduledCodec, s)
		return nil
	})
}

// lastTick returns the last tick up to now, from first on, and the one after it.
func lastTick(when schedule, first, now time.Time) (tick, next time.Time) {
	if _, ok := when.(every); ok && first.Before(now) {
		// There may be very many of them.
		first = latest(first, when.next(now.Add(-2*time.Duration(when.(every)))))
	}
	for tick, next = first, when.next(first); !next.IsZero() && !next.After(now); {
		tick, next = next, when.next(next)
	}
	return tick, next
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// startRun starts the run of a tick, if the run of the one before has ended.
func (l *loop) startRun(tx *atomic.Tx, d definition, s *scheduled, tick time.Time) error {
	if s.last != "" {
		st, err := readState(tx, l.keys, s.last)
		if err != nil {
			return err
		}
		if st != nil && (st.status == Running || st.status == Suspended) {
			l.opts.Log.Warn("tick left out: the run of an earlier one has not ended", "method", d.MethodName(), "run", s.last)
			return nil
		}
	}
	id := d.MethodName() + "@" + tick.UTC().Format(time.RFC3339)
	if started(tx, l.keys, id) {
		return nil
	}
	args, err := d.parse(&codec.Args{})
	if err != nil {
		return err
	}
	s.last = id
	startIn(tx, l.keys, id, &head{method: d.MethodName(), args: args, code: d.code(), start: l.now()})
	return nil
}
