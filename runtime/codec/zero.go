package codec

import "reflect"

// IsZero reports whether *v is the zero value, as the tag's option omitzero
// understands it. It is for types that == does not compare.
func IsZero[T any](v *T) bool { return reflect.ValueOf(v).Elem().IsZero() }
