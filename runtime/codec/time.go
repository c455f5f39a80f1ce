package codec

import (
	"bytes"
	"sync"
	"time"
)

// EncodeTime appends a time: an array of the seconds since 1970 and the
// nanoseconds, and unless it is in UTC the abbreviation of its zone and its
// offset in seconds, and unless that is all there is to the zone, its name.
func EncodeTime(e *Encoder, v *time.Time) {
	loc := v.Location()
	abbreviation, offset := v.Zone()
	switch name := loc.String(); {
	case loc == time.UTC, name == "UTC" && abbreviation == "UTC" && offset == 0:
		e.head(majorArray, 2)
		e.int(v.Unix())
		e.int(int64(v.Nanosecond()))
	case named(*v, name):
		e.head(majorArray, 5)
		e.int(v.Unix())
		e.int(int64(v.Nanosecond()))
		e.string(abbreviation)
		e.int(int64(offset))
		e.string(name)
	default:
		e.head(majorArray, 4)
		e.int(v.Unix())
		e.int(int64(v.Nanosecond()))
		e.string(abbreviation)
		e.int(int64(offset))
	}
}

// named reports whether name is enough to find the zone of t again. A zone of a
// fixed offset may have the name of one with rules.
func named(t time.Time, name string) bool {
	loc := location(name)
	if loc == nil {
		return false
	}
	if loc == t.Location() {
		return true
	}
	year := t.Year()
	for _, at := range []time.Time{t, time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year, 7, 1, 0, 0, 0, 0, time.UTC)} {
		wantName, want := at.In(loc).Zone()
		gotName, got := at.In(t.Location()).Zone()
		if wantName != gotName || want != got {
			return false
		}
	}
	return true
}

// locations caches the zones that were found by name.
var locations sync.Map // string → *time.Location

// location returns the zone of that name, nil if there is none.
func location(name string) *time.Location {
	switch name {
	case "", "UTC":
		return nil
	case "Local":
		return time.Local
	}
	if loc, ok := locations.Load(name); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	kept, _ := locations.LoadOrStore(name, loc)
	return kept.(*time.Location)
}

// DecodeTime reads a time. Where its zone's name is unknown, the zone becomes
// one of the fixed offset.
func DecodeTime(d *Decoder, v *time.Time) {
	start := d.i
	n, ok := d.length(majorArray, 1)
	if !ok {
		return
	}
	if n != 2 && n != 4 && n != 5 {
		d.fail("want time, found array of %d", n)
		return
	}
	t := time.Unix(d.int(), d.nanoseconds()).UTC()
	if n > 2 {
		abbreviation := d.string()
		offset := d.int()
		name := ""
		if n == 5 {
			name = d.string()
		}
		if offset != int64(int32(offset)) {
			d.fail("zone offset %d out of range", offset)
			return
		}
		loc := location(name)
		if loc == nil {
			loc = time.FixedZone(abbreviation, int(offset))
		}
		t = t.In(loc)
		d.zoneMayDiffer(&t, start)
	}
	if d.err == nil {
		*v = t
	}
}

// zoneMayDiffer finds out whether t, which was decoded from start on, is encoded
// differently now: the rules of zones change.
func (d *Decoder) zoneMayDiffer(t *time.Time, start int) {
	e := NewEncoder(nil)
	EncodeTime(e, t)
	b, err := e.Finish()
	if err != nil || !bytes.Equal(b, d.b[start:d.i]) {
		d.loose = true
	}
}

func (d *Decoder) nanoseconds() int64 {
	n := d.int()
	if n < 0 || n >= 1e9 {
		d.fail("nanoseconds %d out of range", n)
	}
	return n
}

// EncodeJSONTime appends a time as RFC 3339 has it.
func EncodeJSONTime(e *JSONEncoder, v *time.Time) {
	b, err := v.AppendText(append(e.b, '"'))
	if err != nil {
		e.Fail(err.Error())
		return
	}
	e.b = append(b, '"')
}

// DecodeJSONTime reads a time as RFC 3339 has it.
func DecodeJSONTime(d *JSONDecoder, v *time.Time) {
	text := d.text()
	if d.err == nil && v.UnmarshalText(text) != nil {
		d.fail("want time such as %q, found %s", "2006-01-02T15:04:05Z", appendQuoted(nil, text))
	}
}
