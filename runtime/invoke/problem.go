package invoke

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// A Problem is an RFC 9457 problem document as this package writes it. Type is
// one of the Type constants.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Code is the first sentinel that an application error wraps, such as
	// "bank.ErrInsufficient", and Codes are all of them.
	Code  string   `json:"code,omitempty"`
	Codes []string `json:"codes,omitempty"`
	// Error is the first error of an exported type in an application error.
	Error *ErrorValue `json:"error,omitempty"`
	// Parameter is the parameter that an input problem is about.
	Parameter string `json:"parameter,omitempty"`
	// Endpoints are what exists instead of what was asked for.
	Endpoints []string `json:"endpoints,omitempty"`
	// ID is the invocation; a retry may give it in Onefold-Id. Application
	// errors leave it to the header, so that their documents are equal in every delivery.
	ID string `json:"id,omitempty"`
}

// An ErrorValue is an error carried whole: its type, such as
// "bank.LimitError", and its value.
type ErrorValue struct {
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// The types of problems.
const (
	TypeApplication    = "urn:onefold:application-error"  // 422: the method returned an error; nothing was changed
	TypeInput          = "urn:onefold:malformed-input"    // 400: the request is malformed; nothing ran
	TypeMismatch       = "urn:onefold:key-reused"         // 422: the key or id came with another method or other arguments before
	TypeExpired        = "urn:onefold:id-expired"         // 422: the id is older than the retention
	TypeTooLarge       = "urn:onefold:transaction-limits" // 422: the method touched more than one transaction holds, or took longer
	TypeNotFound       = "urn:onefold:no-such-endpoint"   // 404
	TypeMethod         = "urn:onefold:method-not-allowed" // 405
	TypeCrossOrigin    = "urn:onefold:cross-origin"       // 403: a web page of another origin sent this
	TypeUnauthorized   = "urn:onefold:unauthorized"       // 401: this needs the server's token
	TypeForbidden      = "urn:onefold:forbidden"          // 403: this is not for clients from elsewhere
	TypeNoWorkflow     = "urn:onefold:no-such-workflow"   // 404: there is none of this id, or not any more
	TypeEnded          = "urn:onefold:workflow-ended"     // 409: the workflow has ended, so this cannot be done to it
	TypeCancelled      = "urn:onefold:workflow-cancelled" // 409: the workflow was cancelled
	TypeBodyTooLarge   = "urn:onefold:body-too-large"     // 413
	TypeMediaType      = "urn:onefold:not-json"           // 415
	TypeInternal       = "urn:onefold:internal"           // 500: the method panicked, or the runtime failed; nothing was changed
	TypeOverload       = "urn:onefold:overload"           // 503, with Retry-After: nothing ran
	TypeContention     = "urn:onefold:contention"         // 503, with Retry-After: every attempt lost; nothing was changed
	TypeUnavailable    = "urn:onefold:unavailable"        // 503: starting, stopping, or the store failed; nothing was changed
	TypeOutcomeUnknown = "urn:onefold:outcome-unknown"    // 503: it may have happened; ask again with the same key or id
	TypeTimeout        = "urn:onefold:timeout"            // 504: no time left; nothing was changed
	TypeStorageFull    = "urn:onefold:storage-full"       // 507: nothing was changed
)

// titles are the types' summaries for people.
var titles = map[string]string{
	TypeApplication:    "the method returned an error",
	TypeInput:          "malformed input",
	TypeMismatch:       "this key or id belongs to another request",
	TypeExpired:        "this id is too old",
	TypeTooLarge:       "over the limits of one transaction",
	TypeNotFound:       "no such endpoint",
	TypeMethod:         "method not allowed",
	TypeCrossOrigin:    "cross-origin request refused",
	TypeUnauthorized:   "token wanted",
	TypeForbidden:      "forbidden",
	TypeNoWorkflow:     "no such workflow",
	TypeEnded:          "the workflow has ended",
	TypeCancelled:      "the workflow was cancelled",
	TypeBodyTooLarge:   "body too large",
	TypeMediaType:      "not application/json",
	TypeInternal:       "internal error",
	TypeOverload:       "too many requests at once",
	TypeContention:     "too much contention",
	TypeUnavailable:    "not available now",
	TypeOutcomeUnknown: "outcome unknown",
	TypeTimeout:        "out of time",
	TypeStorageFull:    "no space left",
}

// append appends the document as one line of JSON.
func (p *Problem) append(b []byte) []byte {
	b = append(b, '{')
	b = appendMember(b, "type", p.Type)
	b = appendMember(append(b, ','), "title", titles[p.Type])
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(p.Status), 10)
	b = appendMember(append(b, ','), "detail", p.Detail)
	if p.Code != "" {
		b = appendMember(append(b, ','), "code", p.Code)
	}
	b = appendList(b, "codes", p.Codes)
	if p.Error != nil {
		b = appendMember(append(b, `,"error":{`...), "type", p.Error.Type)
		b = append(b, `,"value":`...)
		b = append(b, p.Error.Value...)
		b = append(b, '}')
	}
	if p.Parameter != "" {
		b = appendMember(append(b, ','), "parameter", p.Parameter)
	}
	b = appendList(b, "endpoints", p.Endpoints)
	if p.ID != "" {
		b = appendMember(append(b, ','), "id", p.ID)
	}
	return append(b, '}')
}

func appendMember(b []byte, name, value string) []byte {
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `":`...)
	return appendString(b, value)
}

func appendList(b []byte, name string, values []string) []byte {
	if len(values) == 0 {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":[`...)
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, v)
	}
	return append(b, ']')
}

// appendString appends s as a JSON string; what is not UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // its error only says that s was not UTF-8
	return b
}

// Write sends the document.
func (p *Problem) Write(w http.ResponseWriter) {
	header := w.Header()
	header["Content-Type"] = problemJSON
	if p.Type == TypeOverload || p.Type == TypeContention || p.Type == TypeUnavailable {
		header["Retry-After"] = retryAfter
	}
	w.WriteHeader(p.Status)
	w.Write(append(p.append(nil), '\n'))
}

// Header values, made once: header maps are read only after a handler returned.
var (
	plainJSON   = []string{"application/json"}
	problemJSON = []string{"application/problem+json"}
	retryAfter  = []string{"1"}
)
