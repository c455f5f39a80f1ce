package frontend

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseSchedule returns a schedule as the runtime reads it: "every 5m", or
// "cron 0 3 * * *", whose fields are those of cron(8).
func parseSchedule(text string) (string, error) {
	if text == "" {
		return "", errors.New("says no time")
	}
	if d, err := time.ParseDuration(text); err == nil {
		if d < time.Second {
			return "", fmt.Errorf("%s is less than a second", text)
		}
		return "every " + text, nil
	}
	fields := strings.Fields(text)
	if zone, ok := strings.CutPrefix(fields[0], "CRON_TZ="); ok {
		if _, err := time.LoadLocation(zone); err != nil {
			return "", fmt.Errorf("time zone %s is unknown", zone)
		}
		fields = fields[1:]
	}
	if len(fields) != len(cronFields) {
		return "", fmt.Errorf("%q is no duration, and has %d fields where cron has %d", text, len(fields), len(cronFields))
	}
	for i, field := range fields {
		if err := cronFields[i].check(field); err != nil {
			return "", fmt.Errorf("%s %s: %w", cronFields[i].name, field, err)
		}
	}
	if !cronDay(fields) {
		return "", fmt.Errorf("%q: no year has that day", text)
	}
	return "cron " + strings.Join(strings.Fields(text), " "), nil
}

// cronField is one of the fields, with the smallest and largest number and what they are called.
type cronField struct {
	name     string
	min, max int
	names    []string
}

var cronFields = []cronField{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day", 1, 31, nil},
	{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{"weekday", 0, 7, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// check checks a list of numbers, ranges and steps, as 1,10-20/2.
func (f cronField) check(text string) error {
	_, err := f.parse(text)
	return err
}

// parse returns the numbers that a field allows.
func (f cronField) parse(text string) (map[int]bool, error) {
	all := map[int]bool{}
	for part := range strings.SplitSeq(text, ",") {
		from, to, step, err := f.part(part)
		if err != nil {
			return nil, err
		}
		for n := from; n <= to; n += step {
			all[n] = true
		}
	}
	return all, nil
}

// part parses one element of a list.
func (f cronField) part(text string) (from, to, step int, err error) {
	span, stepText, stepped := strings.Cut(text, "/")
	from, to, step = f.min, f.max, 1
	if stepped {
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
			return 0, 0, 0, fmt.Errorf("step %q is no number above 0", stepText)
		}
	}
	if span == "*" {
		return from, to, step, nil
	}
	first, last, ranged := strings.Cut(span, "-")
	if from, err = f.number(first); err != nil {
		return 0, 0, 0, err
	}
	if ranged {
		if to, err = f.number(last); err != nil {
			return 0, 0, 0, err
		}
	} else if !stepped {
		to = from
	}
	if from > to {
		return 0, 0, 0, fmt.Errorf("%d is after %d", from, to)
	}
	return from, to, step, nil
}

func (f cronField) number(text string) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(name, text) {
			return f.min + i, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.min || n > f.max {
		return 0, fmt.Errorf("%q is not from %d to %d", text, f.min, f.max)
	}
	return n, nil
}

// cronDay reports whether some year has a day that the fields, which are correct,
// allow: 31 February it has not.
func cronDay(fields []string) bool {
	if !strings.HasPrefix(fields[4], "*") && !strings.HasPrefix(fields[2], "*") {
		return true // the weekday is enough
	}
	days, _ := cronFields[2].parse(fields[2])
	months, _ := cronFields[3].parse(fields[3])
	for month := range months {
		longest := time.Date(2000, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day() // 2000 has a leap day
		for day := range days {
			if day <= longest {
				return true
			}
		}
	}
	return false
}
