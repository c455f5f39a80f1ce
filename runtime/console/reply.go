package console

import (
	"encoding/json"
	"net/http"
)

// reply sends v as JSON.
func reply(w http.ResponseWriter, status int, v any) { send(w, status, "application/json", v) }

// fail sends a problem document (RFC 9457).
func fail(w http.ResponseWriter, status int, detail string) {
	send(w, status, "application/problem+json", struct {
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{http.StatusText(status), status, detail})
}

func send(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // what is sent here always has a form
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}
