// Package streams flushes, sets trailers and deadlines, and is cancelled.
//
//corpus:want stream GET /stream 200: /stream
package streams

import (
	"io"
	"net/http"
	"time"
)

func Main(addr string) error {
	http.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Sum")
		io.WriteString(w, "first\n")
		w.(http.Flusher).Flush()
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			panic(err)
		}
		if _, ok := w.(io.ReaderFrom); !ok && r.ProtoMajor == 1 {
			panic("no ReaderFrom")
		}
		w.Header().Set("Sum", "1")
	})
	return http.ListenAndServe(addr, nil)
}
