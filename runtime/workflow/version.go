package workflow

// Version reports whether the run is to take the new way of a change of the
// workflow's code. A run that had passed this point before the change gets false, and
// any other true; each gets the same answer for the same change ever after.
func (r *Run) Version(change string) bool {
	r.check()
	x := r.exec
	x.mu.Lock()
	answer, known := x.versions[change]
	x.mu.Unlock()
	if known {
		return answer
	}
	answer = x.ahead(r.prefix.with(r.next+1)) == nil
	x.mu.Lock()
	x.versions[change] = answer
	x.mu.Unlock()
	x.ride(func(c *carrier) {
		value := []byte{0}
		if answer {
			value[0] = 1
		}
		c.Set(c.version(x.id, change), value)
	})
	return answer
}
