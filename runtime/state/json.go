package state

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendJSON appends a value in the form of [Generic] as JSON, for people to
// read. Structs and maps are objects, in their order; a map whose keys are neither
// strings nor numbers is an array of [key, value]. Bytes are base64, and numbers that
// JSON does not have are strings.
func AppendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case float64:
		return appendFloat(b, v)
	case complex128:
		return appendQuoted(b, strconv.FormatComplex(v, 'g', -1, 128))
	case string:
		return appendQuoted(b, v)
	case []byte:
		return appendQuoted(b, base64.StdEncoding.EncodeToString(v))
	case []any:
		return appendSequence(b, '[', ']', len(v), func(b []byte, i int) []byte { return AppendJSON(b, v[i]) })
	case Entries:
		return v.appendJSON(b)
	}
	panic(fmt.Sprintf("state: a %T is not in generic form", v))
}

func (e Entries) appendJSON(b []byte) []byte {
	for _, entry := range e {
		if _, ok := keyName(entry.Key); !ok {
			return appendSequence(b, '[', ']', len(e), func(b []byte, i int) []byte { return AppendJSON(b, []any{e[i].Key, e[i].Value}) })
		}
	}
	return appendSequence(b, '{', '}', len(e), func(b []byte, i int) []byte {
		name, _ := keyName(e[i].Key)
		return AppendJSON(append(appendQuoted(b, name), ':'), e[i].Value)
	})
}

// keyName returns the name of the member of an object for a key; ok is false
// where there is none.
func keyName(key any) (name string, ok bool) {
	switch k := key.(type) {
	case string:
		return k, true
	case int64, uint64:
		return fmt.Sprint(k), true
	}
	return "", false
}

func appendSequence(b []byte, open, end byte, n int, element func(b []byte, i int) []byte) []byte {
	b = append(b, open)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = element(b, i)
	}
	return append(b, end)
}

func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendQuoted(b, strconv.FormatFloat(f, 'g', -1, 64))
	}
	text, _ := json.Marshal(f) // finite numbers have a form
	return append(b, text...)
}

// appendQuoted appends s as a JSON string; what is not UTF-8 becomes U+FFFD.
func appendQuoted(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // its error only says that s was not UTF-8
	return b
}
