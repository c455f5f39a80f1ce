package runtime

import (
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// Config sets *v to what lookup finds under name, and leaves it alone where that
// is not set. V is a string, bool, integer, float or time.Duration, or a type
// made of one. The error names the variable.
func Config[V any](lookup func(name string) (string, bool), name string, v *V) error {
	text, ok := lookup(name)
	if !ok {
		return nil
	}
	if err := parse(text, reflect.ValueOf(v).Elem()); err != nil {
		return fmt.Errorf("environment variable %s=%q: %w", name, text, err)
	}
	return nil
}

func parse(text string, v reflect.Value) error {
	t := v.Type()
	switch {
	case t == reflect.TypeFor[time.Duration]():
		d, err := time.ParseDuration(text)
		v.SetInt(int64(d))
		return err
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return reason(err)
	case v.CanInt():
		i, err := strconv.ParseInt(text, 0, t.Bits())
		v.SetInt(i)
		return reason(err)
	case v.CanUint():
		u, err := strconv.ParseUint(text, 0, t.Bits())
		v.SetUint(u)
		return reason(err)
	case v.CanFloat():
		f, err := strconv.ParseFloat(text, t.Bits())
		v.SetFloat(f)
		return reason(err)
	default:
		return fmt.Errorf("no value of type %s can be written as text", t)
	}
	return nil
}

// reason returns what strconv found, without the text that the caller shows anyway.
func reason(err error) error {
	if e, ok := err.(*strconv.NumError); ok {
		return e.Err
	}
	return err
}
