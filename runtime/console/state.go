package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/state"
)

// maxRows is the longest page of state.
const maxRows = 1000

// rowsJSON is a page of a field. Keys are null for a single value.
type rowsJSON struct {
	Rows []rowJSON `json:"rows"`
	Next string    `json:"next,omitempty"` // the cursor of the next page
}

type rowJSON struct {
	Key   json.RawMessage `json:"key"`
	Value json.RawMessage `json:"value"`
}

func (c *Console) serveState(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("service") + "." + r.PathValue("field")
	field := c.field(r.PathValue("service"), r.PathValue("field"))
	if field == nil {
		fail(w, http.StatusNotFound, "there is no field "+name)
		return
	}
	window, err := windowOf(r.URL.Query())
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	rows, err := c.browse(r.Context(), field, window)
	var bad *state.KeyError
	switch {
	case errors.As(err, &bad):
		fail(w, http.StatusBadRequest, err.Error())
	case err != nil:
		fail(w, http.StatusInternalServerError, "read "+name+": "+err.Error())
	default:
		reply(w, http.StatusOK, rows)
	}
}

// field returns a persistent field, nil if there is none of these names.
func (c *Console) field(service, field string) runtime.Field {
	for _, s := range c.app.Services {
		for _, f := range s.Fields {
			if s.Name == service && f.Name() == field {
				return f
			}
		}
	}
	return nil
}

func windowOf(q url.Values) (w state.Window, err error) {
	w.From, w.Cursor = q.Get("from"), q.Get("cursor")
	if q.Has("key") {
		key := q.Get("key")
		w.Key = &key
	}
	if limit := q.Get("limit"); limit != "" {
		if w.Limit, err = strconv.Atoi(limit); err != nil || w.Limit < 1 || w.Limit > maxRows {
			return w, fmt.Errorf("limit is %q; want 1 to %d", limit, maxRows)
		}
	}
	return w, nil
}

func (c *Console) browse(ctx context.Context, field runtime.Field, window state.Window) (out rowsJSON, err error) {
	err = c.runner.Read(ctx, func(_ context.Context, tx *atomic.Tx) error {
		page, err := field.Browse(tx, window)
		out = rowsJSON{Rows: make([]rowJSON, len(page.List)), Next: page.Next}
		for i, row := range page.List {
			out.Rows[i] = rowJSON{state.AppendJSON(nil, row.Key), state.AppendJSON(nil, row.Value)}
		}
		return err
	})
	return out, err
}
