//go:build linux

package poker

import "testing"

func TestSentBytes(t *testing.T) {
	const table = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 9000000    5000    0    0    0     0          0         0  9000000    5000    0    0    0     0       0          0
  eth0: 1234567    8910    0    0    0     0          0         0     4321      21    0    0    0     0       0          0
 wlan0:       1       1    0    0    0     0          0         0     1000       2    0    0    0     0       0          0
`
	if got := sentBytes(table); got != 5321 {
		t.Errorf("%d bytes, want those of eth0 and wlan0, 5321", got)
	}
	if got := sentBytes(""); got != 0 {
		t.Errorf("%d bytes without a table", got)
	}
}
