package ir

import (
	"strings"
	"unicode"
)

// Variable returns the environment variable that sets a config field:
// HOTEL_MAX_ROOMS for maxRooms of Hotel.
func (f *Field) Variable() string { return constantCase(f.Service.Name) + "_" + constantCase(f.Name) }

// constantCase returns a name in upper case with underscores between its words.
func constantCase(name string) string {
	runes := []rune(name)
	var b strings.Builder
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && runes[i-1] != '_' && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}
