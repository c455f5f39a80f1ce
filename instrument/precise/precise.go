// Package precise sleeps to the point. time.Sleep wakes up to a millisecond late,
// which is as long as the things that are measured here.
package precise
