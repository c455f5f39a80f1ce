package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// An App is what an application consists of.
type App struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Services []struct {
		Name    string `json:"name"`
		Methods []struct {
			Name string `json:"name"`
			Kind string `json:"kind"`
		} `json:"methods"`
		Fields []struct {
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"fields"`
	} `json:"services"`
}

// App returns the description of the application.
func (c *Client) App(ctx context.Context) (*App, error) { return getAs[App](ctx, c, "app", nil) }

// Fields returns the persistent fields, as Service.field, each with its type.
func (a *App) Fields() [][2]string {
	var list [][2]string
	for _, s := range a.Services {
		for _, f := range s.Fields {
			list = append(list, [2]string{s.Name + "." + f.Name, f.Type})
		}
	}
	return list
}

// A Row is one entry of a map, one element of a slice, or a single value, whose
// key is null.
type Row struct {
	Key   json.RawMessage `json:"key"`
	Value json.RawMessage `json:"value"`
}

// Rows is a part of a field.
type Rows struct {
	List []Row  `json:"rows"`
	Next string `json:"next,omitempty"`
}

// A Window says which rows to read: those from a key on, or after a cursor.
type Window struct {
	From, Cursor string
	Limit        int
}

// State returns rows of Service.field.
func (c *Client) State(ctx context.Context, field string, w Window) (*Rows, error) {
	query := url.Values{"limit": {strconv.Itoa(w.Limit)}}
	for name, value := range map[string]string{"from": w.From, "cursor": w.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return c.rows(ctx, field, query)
}

// Value returns one row of Service.field. Its error says so if there is no such key.
func (c *Client) Value(ctx context.Context, field, key string) (Row, error) {
	rows, err := c.rows(ctx, field, url.Values{"key": {key}})
	if err != nil {
		return Row{}, err
	}
	if len(rows.List) == 0 {
		return Row{}, fmt.Errorf("%s has no key %q", field, key)
	}
	return rows.List[0], nil
}

func (c *Client) rows(ctx context.Context, field string, query url.Values) (*Rows, error) {
	service, name, ok := strings.Cut(field, ".")
	if !ok {
		return nil, fmt.Errorf("%q is no field; want Service.field, as in Hotel.rooms", field)
	}
	return getAs[Rows](ctx, c, "state/"+url.PathEscape(service)+"/"+url.PathEscape(name), query)
}
