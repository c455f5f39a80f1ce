package load

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
)

// template is a text with places that are filled anew for each request.
type template []part

// part is a literal, or a function that appends a value.
type part struct {
	literal string
	append  func([]byte, *rand.Rand) []byte
}

var place = regexp.MustCompile(`\$\{([a-z]+)(?::([^}]*))?\}`)

// number is a JSON string that is nothing but one number to fill in.
var number = regexp.MustCompile(`"(\$\{(?:int:[^}"]*|seq)\})"`)

// compile reads the places of a text.
func compile(text string) (template, error) {
	var t template
	for {
		at := place.FindStringSubmatchIndex(text)
		if at == nil {
			return append(t, part{literal: text}), nil
		}
		argument := ""
		if at[4] >= 0 {
			argument = text[at[4]:at[5]]
		}
		fill, err := generator(text[at[2]:at[3]], argument)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text[at[0]:at[1]], err)
		}
		t = append(t, part{literal: text[:at[0]]}, part{append: fill})
		text = text[at[1]:]
	}
}

// compileBody is compile for JSON: numbers lose their quotes.
func compileBody(body []byte) (template, error) {
	return compile(number.ReplaceAllString(string(body), "$1"))
}

// generator returns the function behind a place.
func generator(name, argument string) (func([]byte, *rand.Rand) []byte, error) {
	switch name {
	case "int":
		low, high, ok := strings.Cut(argument, "-")
		a, err1 := strconv.ParseInt(low, 10, 64)
		b, err2 := strconv.ParseInt(high, 10, 64)
		if !ok || err1 != nil || err2 != nil || a > b || b-a+1 <= 0 {
			return nil, fmt.Errorf("want ${int:LOW-HIGH}, as in ${int:1-100}")
		}
		return func(buf []byte, rng *rand.Rand) []byte { return strconv.AppendInt(buf, a+rng.Int64N(b-a+1), 10) }, nil
	case "pick":
		choices := strings.Split(argument, "|")
		return func(buf []byte, rng *rand.Rand) []byte { return append(buf, choices[rng.IntN(len(choices))]...) }, nil
	case "seq":
		var next atomic.Int64
		return func(buf []byte, _ *rand.Rand) []byte { return strconv.AppendInt(buf, next.Add(1), 10) }, nil
	case "uuid":
		return func(buf []byte, _ *rand.Rand) []byte { return append(buf, uuid.NewString()...) }, nil
	}
	return nil, fmt.Errorf("unknown: there are int, pick, seq and uuid")
}

// fill appends the text with all places filled.
func (t template) fill(buf []byte, rng *rand.Rand) []byte {
	for _, p := range t {
		if p.append != nil {
			buf = p.append(buf, rng)
			continue
		}
		buf = append(buf, p.literal...)
	}
	return buf
}
