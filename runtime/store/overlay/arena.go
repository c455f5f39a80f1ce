package overlay

// arena hands out byte slices, several from one allocation. What is left serves
// the next transaction.
type arena struct {
	free []byte
	next int
}

// Blocks grow from the first size to the last; what is larger than the last is
// allocated by itself.
const (
	firstBlock = 512
	lastBlock  = 16 << 10
)

// alloc returns n bytes of unspecified content.
func (a *arena) alloc(n int) []byte {
	if n > len(a.free) {
		if n > lastBlock/4 {
			return make([]byte, n)
		}
		a.next = min(max(2*a.next, firstBlock), lastBlock)
		a.free = make([]byte, max(a.next, n))
	}
	b := a.free[:n:n]
	a.free = a.free[n:]
	return b
}

// copy returns a copy of b, never nil.
func (a *arena) copy(b []byte) []byte {
	c := a.alloc(len(b))
	copy(c, b)
	return c
}
