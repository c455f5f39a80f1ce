package invoke

import (
	"log/slog"
	"time"
)

// logAccess logs the call if the sampling picks it.
func (h *Handler) logAccess(c *call, status int, took time.Duration) {
	n := h.opts.AccessEvery
	if n == 0 || h.requests.Add(1)%uint64(n) != 0 {
		return
	}
	c.log(slog.LevelInfo, "request", slog.Int("status", status), slog.Duration("took", took))
}
