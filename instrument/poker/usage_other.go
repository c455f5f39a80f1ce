//go:build !linux

package poker

// quotaOf knows no quotas on this system, and the others no processor times.
func quotaOf(int) Quota { return Quota{} }

func members(int) []int { return nil }

func processorTime([]int) int64 { return 0 }

// NetworkSent is 0: it is not known on this system.
func NetworkSent(int) int64 { return 0 }
