package workflow

import (
	"slices"
	"strconv"
	"strings"

	"github.com/onefold/onefold/runtime/store/tuple"
)

// path is where a step is in its workflow: the number of the step in the method;
// within a branch the path of the group, the number of the branch, the number of the step.
type path []int

func (p path) String() string {
	var b strings.Builder
	for i, n := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// with returns p and one element more.
func (p path) with(n int) path { return append(slices.Clip(p), n) }

// after reports whether a step at p can only have begun when the one at q, or what
// the code did between the steps there, was over. Numbers of steps and of branches
// alternate; branches of a group say nothing about each other.
func (p path) after(q path) bool {
	for i := range min(len(p), len(q)) {
		if p[i] != q[i] {
			return i%2 == 0 && p[i] > q[i]
		}
	}
	return false
}

// parsePath decodes the rest of a step's key.
func parsePath(b []byte) (path, error) {
	var p path
	for len(b) > 0 {
		n, rest, err := tuple.DecodeInt(b)
		if err != nil {
			return nil, err
		}
		p, b = append(p, int(n)), rest
	}
	return p, nil
}
