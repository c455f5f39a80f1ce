package workflow

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A schedule is when a workflow is started.
type schedule interface {
	// next returns the first tick after t, the zero time if there is none.
	next(t time.Time) time.Time
}

// parseSchedule parses what [Definition] describes; it returns nil for "".
func parseSchedule(text string) (schedule, error) {
	kind, rest, _ := strings.Cut(text, " ")
	switch kind {
	case "":
		return nil, nil
	case "every":
		d, err := time.ParseDuration(strings.TrimSpace(rest))
		if err != nil {
			return nil, fmt.Errorf(`%q: want a duration, as in "every 5m"`, text)
		}
		if d < time.Second {
			return nil, fmt.Errorf("every %s: want a second or more", d)
		}
		return every(d), nil
	case "cron":
		return parseCron(rest)
	}
	return nil, fmt.Errorf(`%q: want "every 5m" or "cron 0 3 * * *"`, text)
}

// every ticks at multiples of a duration since 1970 UTC.
type every time.Duration

func (e every) next(t time.Time) time.Time {
	n := t.UnixNano()
	return time.Unix(0, n-n%int64(e)+int64(e)).UTC()
}

// cron ticks in the minutes that match five fields, each a set of bits.
type cron struct {
	minute, hour, day, month, weekday uint64
	anyDay, anyWeekday                bool // the field is *: the other one decides
	zone                              *time.Location
}

// cronFields are the fields in their order, with the smallest and the largest value.
var cronFields = []struct {
	name     string
	min, max int
	names    []string
}{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day", 1, 31, nil},
	{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{"weekday", 0, 7, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// cronMacros are the usual short forms.
var cronMacros = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
	"@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

func parseCron(text string) (*cron, error) {
	c := &cron{zone: time.UTC}
	fields := strings.Fields(text)
	if len(fields) > 0 {
		if name, ok := strings.CutPrefix(fields[0], "CRON_TZ="); ok {
			zone, err := time.LoadLocation(name)
			if err != nil {
				return nil, err
			}
			c.zone, fields = zone, fields[1:]
		}
	}
	if len(fields) == 1 && cronMacros[fields[0]] != "" {
		fields = strings.Fields(cronMacros[fields[0]])
	}
	if len(fields) != len(cronFields) {
		return nil, fmt.Errorf("cron %q: want 5 fields, found %d", text, len(fields))
	}
	sets := []*uint64{&c.minute, &c.hour, &c.day, &c.month, &c.weekday}
	for i, field := range fields {
		set, err := parseField(i, field)
		if err != nil {
			return nil, fmt.Errorf("cron %q: %s %q: %w", text, cronFields[i].name, field, err)
		}
		*sets[i] = set
	}
	c.weekday |= c.weekday >> 7 & 1 // 7 is Sunday too
	c.anyDay, c.anyWeekday = strings.HasPrefix(fields[2], "*"), strings.HasPrefix(fields[4], "*")
	if c.next(time.Unix(0, 0)).IsZero() {
		return nil, fmt.Errorf("cron %q: there is no such day", text)
	}
	return c, nil
}

// parseField parses a list of values, ranges and steps.
func parseField(i int, text string) (set uint64, err error) {
	f := cronFields[i]
	for part := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		from, to, step := f.min, f.max, 1
		if first, last, ranged := strings.Cut(span, "-"); span != "*" {
			if from, err = cronValue(i, first); err != nil {
				return 0, err
			}
			switch {
			case ranged:
				if to, err = cronValue(i, last); err != nil {
					return 0, err
				}
			case !stepped:
				to = from
			}
		}
		if stepped {
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return 0, fmt.Errorf("step %q: want a number above 0", stepText)
			}
		}
		if from > to {
			return 0, fmt.Errorf("%d is after %d", from, to)
		}
		for v := from; v <= to; v += step {
			set |= 1 << v
		}
	}
	return set, nil
}

func cronValue(i int, text string) (int, error) {
	f := cronFields[i]
	for n, name := range f.names {
		if strings.EqualFold(name, text) {
			return n + f.min, nil
		}
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < f.min || v > f.max {
		return 0, fmt.Errorf("%q: want %d to %d", text, f.min, f.max)
	}
	return v, nil
}

// cronHorizon is how far a tick may be: leap days can be 8 years apart.
const cronHorizon = 9 * 366

// next returns the first minute after t that matches. Times that a change of the clocks
// leaves out tick when the clocks are back on, once; those that come twice tick the first time.
func (c *cron) next(t time.Time) time.Time {
	t = t.In(c.zone)
	year, month, day := t.Date()
	for n := range cronHorizon {
		date := time.Date(year, month, day+n, 0, 0, 0, 0, time.UTC)
		if !c.matchesDay(date) {
			continue
		}
		if tick, ok := c.nextOn(date, t); ok {
			return tick.UTC()
		}
	}
	return time.Time{}
}

// nextOn returns the first tick after t on a date.
func (c *cron) nextOn(date, t time.Time) (time.Time, bool) {
	year, month, day := date.Date()
	for hour := range 24 {
		if c.hour&(1<<hour) == 0 {
			continue
		}
		for minute := range 60 {
			if c.minute&(1<<minute) == 0 {
				continue
			}
			if tick := firstOf(time.Date(year, month, day, hour, minute, 0, 0, c.zone)); tick.After(t) {
				return tick, true
			}
		}
	}
	return time.Time{}, false
}

// firstOf returns the first time that clocks show what they show at t, where they are put
// back and show it twice.
func firstOf(t time.Time) time.Time {
	const format = "2006-01-02 15:04"
	for _, back := range []time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute} {
		if earlier := t.Add(-back); earlier.Format(format) == t.Format(format) {
			return earlier
		}
	}
	return t
}

// matchesDay reports whether there are ticks on a date. Where both the day and the
// weekday are given, one of them is enough.
func (c *cron) matchesDay(date time.Time) bool {
	if c.month&(1<<date.Month()) == 0 {
		return false
	}
	day, weekday := c.day&(1<<date.Day()) != 0, c.weekday&(1<<date.Weekday()) != 0
	if c.anyDay || c.anyWeekday {
		return day && weekday
	}
	return day || weekday
}
