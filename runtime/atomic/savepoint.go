package atomic

import "context"

// Savepoint runs fn as a nested transaction: if it returns an error or panics,
// the writes and the changes of live objects since the call are undone, in place.
// What was read stays read. Savepoints nest.
func (tx *Tx) Savepoint(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	tx.check()
	tx.flush()
	mark := tx.overlay.Mark()
	for i := range tx.tracked {
		tx.tracked[i].live.Mark()
	}
	tx.depth++
	kept := false
	defer func() {
		tx.depth--
		if tx.attempt.dead.Load() != nil {
			return // nothing of this attempt is used any more
		}
		if !kept {
			tx.overlay.Rollback(mark)
		}
		for i := range tx.tracked {
			if kept {
				tx.tracked[i].live.Release()
			} else {
				tx.tracked[i].live.Rollback()
			}
		}
		if !kept {
			tx.forget(tx.left) // it was loaded since, and may be of what is undone
		}
	}()
	err = fn(ctx)
	kept = err == nil
	return err
}
