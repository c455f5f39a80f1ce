// Command assets serves thumbnails, each with a hash of the whole picture as its tag.
package main

import (
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"

	"github.com/onefold/onefold/instrument/profile/optimised"
)

var picture = makePicture()

func makePicture() []byte {
	all := make([]byte, 1<<20)
	for i := range all {
		all[i] = byte(i * i >> 7)
	}
	return all
}

func main() { optimised.Main(thumbnail) }

func thumbnail(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", tag(r.FormValue("picture")))
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	z.Write(picture[:64<<10])
	z.Close()
}

// tag hashes the name and the picture.
func tag(name string) string {
	sum := sha256.Sum256(append([]byte(name), picture...))
	return fmt.Sprintf("%q", fmt.Sprintf("%x", sum[:8]))
}
