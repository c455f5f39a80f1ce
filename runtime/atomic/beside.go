package atomic

import "github.com/onefold/onefold/runtime/store/overlay"

// lookUp is the result of looking a record up.
type lookUp struct {
	rec *record
	err error
}

// lookUpBeside looks for the record while the request's body runs, all places at
// once, so that it costs no store round of its own. Whoever wants the result takes the
// attempt's version first.
func (k recordKeys) lookUpBeside(a *attempt) chan lookUp {
	result := make(chan lookUp, 1)
	a.records = k.read[:k.n]
	a.whenHeld(func() {
		if a.hasAhead(a.records) {
			result <- k.lookUpAll(a)
			return
		}
		a.looks.Go(func() { result <- k.lookUpAll(a) })
	})
	return result
}

// hasAhead reports whether all keys were read together with the version.
func (a *attempt) hasAhead(keys [][]byte) bool {
	for _, key := range keys {
		if !a.readAhead(key).Read {
			return false
		}
	}
	return true
}

// lookUpAll looks at all places at once.
func (k *recordKeys) lookUpAll(a *attempt) (result lookUp) {
	if k.n == 1 {
		return lookUpAt(a, k.read[0])
	}
	one := make(chan lookUp, k.n)
	for _, key := range k.read[:k.n] {
		go func() { one <- lookUpAt(a, key) }()
	}
	for range k.n {
		if l := <-one; l.rec != nil || result.rec == nil && l.err != nil {
			result = l
		}
	}
	return result
}

func lookUpAt(a *attempt, key []byte) lookUp {
	at := recordKeys{read: [3][]byte{key}, n: 1}
	rec, err := at.lookUp(a.ctx, overlay.New(a, 0))
	if rec != nil {
		a.kill(errReplay) // spare the body the rest of its work
	}
	return lookUp{rec, err}
}
