package codec

import "fmt"

// Error says what is wrong with an encoded value, and where in it.
type Error struct {
	Path    string // such as ".Guests[2]"; empty for the value itself
	Message string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Message
	}
	path := e.Path
	if path[0] == '.' {
		path = path[1:]
	}
	return path + ": " + e.Message
}

func failf(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// Paths are built while a failure unwinds, so that success pays nothing.

func (e *Error) inField(name string) { e.Path = "." + name + e.Path }
func (e *Error) inIndex(i int)       { e.Path = fmt.Sprintf("[%d]%s", i, e.Path) }
func (e *Error) inKey(key string)    { e.Path = fmt.Sprintf("[%s]%s", key, e.Path) }
