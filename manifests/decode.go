package manifests

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Quantity is an amount as Kubernetes writes it: 100m, 1.5, 512Mi.
type Quantity struct{ resource.Quantity }

func (q *Quantity) set(text string) (err error) {
	if q.Quantity, err = resource.ParseQuantity(text); err != nil || q.Sign() <= 0 {
		return errors.New("want an amount above zero such as 250m, 2 or 512Mi")
	}
	return nil
}

// Duration is a time as Go writes it: 100ms, 10s.
type Duration struct{ time.Duration }

func (d *Duration) set(text string) (err error) {
	if d.Duration, err = time.ParseDuration(text); err != nil || d.Duration <= 0 {
		return errors.New("want a time above zero such as 10s or 250ms")
	}
	return nil
}

// Ratio is a number above 0 and at most 1.
type Ratio float64

func (r *Ratio) set(text string) error {
	f, err := strconv.ParseFloat(text, 64)
	*r = Ratio(f)
	if err != nil || !(f > 0 && f <= 1) {
		return errors.New("want a number above 0 and at most 1")
	}
	return nil
}

// setter is a type that is written as one scalar.
type setter interface{ set(text string) error }

// problem is one thing wrong with a configuration.
type problem struct {
	line, column int
	text         string
}

type problems []problem

func (p problems) sort() {
	slices.SortStableFunc(p, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
}

func (p problems) err() error {
	var errs []error
	for _, one := range p {
		errs = append(errs, errors.New(one.text))
	}
	return errors.Join(errs...)
}

// decoder fills a configuration from YAML and knows where each key is.
type decoder struct {
	file     string
	at       map[string]*yaml.Node
	problems problems
}

func (d *decoder) errorf(n *yaml.Node, format string, args ...any) {
	text := fmt.Sprintf("%s:%d:%d: %s", d.file, n.Line, n.Column, fmt.Sprintf(format, args...))
	d.problems = append(d.problems, problem{n.Line, n.Column, text})
}

// decode fills v, a pointer, from n, which is at path.
func (d *decoder) decode(n *yaml.Node, path string, v any) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Tag == "!!null" {
		return // as if the key were not there
	}
	if s, ok := v.(setter); ok && n.Kind == yaml.ScalarNode {
		if err := s.set(n.Value); err != nil {
			d.errorf(n, "%s: %q: %v", path, n.Value, err)
		}
		return
	}
	switch v := reflect.ValueOf(v).Elem(); v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, path, v.Interface())
	case reflect.Struct:
		d.object(n, path, v)
	case reflect.Map:
		d.table(n, path, v)
	case reflect.Slice:
		d.list(n, path, v)
	default:
		if n.Kind != yaml.ScalarNode || n.Decode(v.Addr().Interface()) != nil {
			d.errorf(n, "%s: found %s, want %s", path, found(n), kinds[v.Kind()])
		}
	}
}

var kinds = map[reflect.Kind]string{reflect.String: "text", reflect.Int: "a whole number", reflect.Bool: "true or false"}

func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	}
	return strconv.Quote(n.Value)
}

// entries calls fn for each key of a mapping.
func (d *decoder) entries(n *yaml.Node, path string, fn func(key, value *yaml.Node, path string)) {
	if n.Kind != yaml.MappingNode {
		d.errorf(n, "%s: found %s, want keys with values", cmp.Or(path, "the document"), found(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		if seen[key.Value] {
			d.errorf(key, "%s: is there twice", at)
			continue
		}
		seen[key.Value] = true
		d.at[at] = key
		fn(key, value, at)
	}
}

// object fills a struct by the names in its tags.
func (d *decoder) object(n *yaml.Node, path string, v reflect.Value) {
	fields := fieldsOf(v)
	d.entries(n, path, func(key, value *yaml.Node, at string) {
		field, ok := fields[key.Value]
		if !ok {
			d.errorf(key, "unknown key %s; want one of %s", at, strings.Join(sortedKeys(fields), ", "))
			return
		}
		d.decode(value, at, field.Addr().Interface())
	})
}

func fieldsOf(v reflect.Value) map[string]reflect.Value {
	fields := map[string]reflect.Value{}
	for i := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			for inner, field := range fieldsOf(v.Field(i)) {
				fields[inner] = field
			}
		case name != "" && name != "-":
			fields[name] = v.Field(i)
		}
	}
	return fields
}

func (d *decoder) table(n *yaml.Node, path string, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.entries(n, path, func(key, value *yaml.Node, at string) {
		element := reflect.New(v.Type().Elem())
		d.decode(value, at, element.Interface())
		v.SetMapIndex(reflect.ValueOf(key.Value), element.Elem())
	})
}

func (d *decoder) list(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.errorf(n, "%s: found %s, want a list", path, found(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, element := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.at[at] = element
		d.decode(element, at, v.Index(i).Addr().Interface())
	}
}
