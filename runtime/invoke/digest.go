package invoke

import "crypto/sha256"

// keySize is the length of a key's digest: no two keys have the same one, and
// nobody finds a key for the digest of another.
const keySize = 16

// digest is how an Idempotency-Key is stored: keys are of any length, and may be secrets.
func digest(key string) [keySize]byte {
	sum := sha256.Sum256([]byte(key))
	return [keySize]byte(sum[:])
}

// FNV-1a, 64 bits. The hashes are stored, so the function may never change.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func hashString(s string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// hashArgs hashes a JSON object so that the order of its members and the space
// between tokens do not matter: a retry may be encoded anew. The object is well-formed.
func hashArgs(body []byte) uint64 {
	var sum uint64
	member, depth := uint64(fnvOffset), 0
	inString, escaped := false, false
	for _, b := range body {
		if inString {
			member = (member ^ uint64(b)) * fnvPrime
			inString = escaped || b != '"'
			escaped = !escaped && b == '\\'
			continue
		}
		switch b {
		case ' ', '\t', '\r', '\n':
			continue
		case '"':
			inString = true
		case '{', '[':
			depth++
			if depth == 1 {
				continue
			}
		case '}', ']':
			depth--
		}
		if depth == 0 || depth == 1 && b == ',' {
			sum += scramble(member)
			member = fnvOffset
			continue
		}
		member = (member ^ uint64(b)) * fnvPrime
	}
	return sum
}

// scramble spreads a member's hash over all bits, so that the hashes of several can be added.
func scramble(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
