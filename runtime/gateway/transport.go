package gateway

import (
	"context"
	"encoding/hex"
	"net"
	"net/http"
	"strings"
	"time"
)

// unixHost ends the hosts of URLs that stand for sockets: hexadecimal of the path before it.
const unixHost = ".unix"

// baseURL returns the URL, without a path, of host:port or unix:///path.
func baseURL(address string) string {
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		return "http://" + hex.EncodeToString([]byte(path)) + unixHost
	}
	return "http://" + address
}

// newTransport returns a transport for the hosts that baseURL makes.
func newTransport() *http.Transport {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, _ := net.SplitHostPort(address)
			if name, ok := strings.CutSuffix(host, unixHost); ok {
				path, err := hex.DecodeString(name)
				if err != nil {
					return nil, err
				}
				return dialer.DialContext(ctx, "unix", string(path))
			}
			return dialer.DialContext(ctx, network, address)
		},
		MaxIdleConnsPerHost: 256,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}
}
