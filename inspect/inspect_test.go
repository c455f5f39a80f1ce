package inspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/inspect"
	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/local/localtest"
)

// stage is a server, and a client of it.
type stage struct {
	*inspect.Client
	t   *testing.T
	app *localtest.Orders
}

func newStage(t *testing.T) *stage {
	t.Helper()
	app := new(localtest.Orders)
	app.Broken.Store(true)
	address := app.Serve(t, local.Options{AdminToken: "secret"})
	return &stage{&inspect.Client{Server: address, Token: "secret", HTTP: http.DefaultClient}, t, app}
}

// start starts Orders.Fulfil in the background and returns its id.
func (s *stage) start(item string) string {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"item": item})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequest("POST", s.Server+"/Orders/Fulfil", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Prefer", "respond-async")
	resp, err := s.HTTP.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		text, _ := io.ReadAll(resp.Body)
		s.t.Fatalf("start: %s %s", resp.Status, text)
	}
	return resp.Header.Get("Onefold-Workflow")
}

// until waits until a workflow has a status.
func (s *stage) until(id, status string) {
	s.t.Helper()
	last := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		w, err := s.Workflow(s.t.Context(), id)
		if err != nil {
			last = err.Error()
			continue
		}
		if last = w.Status; last == status {
			return
		}
	}
	s.t.Fatalf("%s does not come to be %s: %s", id, status, last)
}

// text returns what show prints, on a screen of that width, without what
// differs from run to run.
func text(t *testing.T, width int, ids map[string]string, show func(*inspect.Screen) error) string {
	t.Helper()
	var b strings.Builder
	if err := show(&inspect.Screen{Writer: &b, Width: width, Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	for id, name := range ids {
		out = strings.ReplaceAll(out, id, name)
	}
	for _, r := range [][2]string{
		{`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, "DATE"},
		{`\d+(\.\d+)?(µs|ms|s)|<1ms`, "TIME"},
		{`\d+d(\d+h)?|\d+h\d+m`, "LONG"},
		{` {2,}`, "  "}, // widths follow the times
	} {
		out = regexp.MustCompile(r[0]).ReplaceAllString(out, r[1])
	}
	return "\n" + out
}

func compare(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLifeOfAWorkflow follows one from its start over a signal, a dead letter and
// a retry to its end.
func TestLifeOfAWorkflow(t *testing.T) {
	s, ctx := newStage(t), t.Context()
	id := s.start("lamp")
	ids := map[string]string{id: "ID"}
	s.until(id, "suspended")
	list, err := s.List(ctx, inspect.Filter{Status: "suspended", Method: "Orders"})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, `
ID  METHOD  STATUS  STARTED  TOOK  NOW
ID  Orders.Fulfil  suspended  TIME ago  TIME  waits for signal paid, wakes in LONG
`, text(t, 0, ids, func(s *inspect.Screen) error { return s.Workflows(list) }))

	if err := s.Signal(ctx, id, "paid", []byte(`"ann"`)); err != nil {
		t.Fatal(err)
	}
	s.until(id+"/4", "parked")
	dead, err := s.Dead(ctx, 10, "")
	if err != nil {
		t.Fatal(err)
	}
	compare(t, `
ID  METHOD  KIND  PARKED  FAILURES  REASON
ID/4  Orders.Ship  workflow  TIME ago  1  panic: the truck has broken down
`, text(t, 0, ids, func(s *inspect.Screen) error { return s.Dead(dead) }))

	s.app.Broken.Store(false)
	if err := s.Retry(ctx, id+"/4"); err != nil {
		t.Fatal(err)
	}
	s.until(id, "completed")
	history, err := s.History(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, `
Orders.Fulfil ID
  status  completed since DATE (TIME ago)
  started  DATE (TIME ago)
  took  TIME
  executions  3
  code  1
  arguments  {"item":"lamp"}
  result  "parcel with lamp for ann"

STEP  AT  TOOK  OUTCOME
1 call Stock.Take  +TIME  TIME  2
2 group
├─ 2.1 branch
│  └─ 2.1.1 effect pack  +TIME  TIME  "packed lamp"
└─ 2.2 branch
  └─ 2.2.1 effect label  +TIME  TIME  "labeled lamp"
3 await paid  +TIME  TIME  "ann"
4 child Orders.Ship  +TIME  TIME  "parcel with lamp"
└─ 1 effect ship  +TIME  TIME  "parcel with lamp"
`, text(t, 0, ids, func(s *inspect.Screen) error { return s.History(history) }))

	// What is printed as JSON is what the server said, nothing left out.
	raw, err := json.Marshal(history)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"argsCBOR":`, `"resultCBOR":`, `"argsHash":`, `"child":{"id":"` + id + `/4"`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the history lacks %s: %s", want, raw)
		}
	}
}

func TestCancel(t *testing.T) {
	s, ctx := newStage(t), t.Context()
	id := s.start("lamp")
	s.until(id, "suspended")
	if err := s.Cancel(ctx, id); err != nil {
		t.Fatal(err)
	}
	s.until(id, "cancelled")
	history, err := s.History(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	got := text(t, 0, nil, func(s *inspect.Screen) error { return s.History(history) })
	for _, want := range []string{"status  cancelled", "error  the workflow was cancelled", "3 await paid  +TIME  did not end"} {
		if !strings.Contains(got, want) {
			t.Errorf("the history lacks %q:\n%s", want, got)
		}
	}
	err = s.Signal(ctx, id, "paid", []byte(`"ann"`))
	if err == nil || !strings.Contains(err.Error(), id+": the workflow has ended") {
		t.Errorf("a signal to a workflow that has ended: %v", err)
	}
}

func TestListFilters(t *testing.T) {
	s, ctx := newStage(t), t.Context()
	var ids []string
	for range 3 {
		ids = append(ids, s.start("lamp"))
		s.until(ids[len(ids)-1], "suspended")
	}
	for name, test := range map[string]struct {
		f    inspect.Filter
		want int
		more bool
	}{
		"all":               {inspect.Filter{}, 3, false},
		"method":            {inspect.Filter{Method: "Orders.Fulfil"}, 3, false},
		"another method":    {inspect.Filter{Method: "Orders.Ship"}, 0, false},
		"another service":   {inspect.Filter{Method: "Stock"}, 0, false},
		"another status":    {inspect.Filter{Status: "completed"}, 0, false},
		"limit":             {inspect.Filter{Limit: 2}, 2, true},
		"since the start":   {inspect.Filter{Since: time.Now().Add(-time.Hour)}, 3, false},
		"since now":         {inspect.Filter{Since: time.Now().Add(time.Hour)}, 0, false},
		"limit and service": {inspect.Filter{Limit: 1, Method: "Orders"}, 1, true},
	} {
		list, err := s.List(ctx, test.f)
		if err != nil || len(list.List) != test.want || (list.Next != "") != test.more {
			t.Errorf("%s: %d workflows, next %q, %v; want %d, more: %v", name, len(list.List), list.Next, err, test.want, test.more)
		}
	}
	page, err := s.List(ctx, inspect.Filter{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := s.List(ctx, inspect.Filter{Cursor: page.Next})
	if err != nil || len(rest.List) != 1 || rest.List[0].ID != ids[0] {
		t.Errorf("the rest is %v, %v; want the oldest", rest, err)
	}
}

func TestState(t *testing.T) {
	s, ctx := newStage(t), t.Context()
	rows, err := s.State(ctx, "Stock.items", inspect.Window{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := text(t, 0, map[string]string{rows.Next: "CURSOR"}, func(s *inspect.Screen) error { return s.Rows(rows) })
	compare(t, "\nKEY  VALUE\n<i>desk</i>  1\n\nThere are more: --cursor CURSOR\n", got)
	if row, err := s.Value(ctx, "Stock.items", "lamp"); err != nil || string(row.Value) != "3" {
		t.Errorf("lamp: %s, %v", row.Value, err)
	}
	for field, want := range map[string]string{"Stock.nothing": "there is no field Stock.nothing", "Stock": `"Stock" is no field`} {
		if _, err := s.State(ctx, field, inspect.Window{Limit: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", field, err, want)
		}
	}
	if _, err := s.Value(ctx, "Stock.items", "chair"); err == nil || err.Error() != `Stock.items has no key "chair"` {
		t.Errorf("chair: %v", err)
	}
}

func TestErrors(t *testing.T) {
	s := newStage(t)
	for name, test := range map[string]struct {
		server, token string
		want          string
	}{
		"without a token":  {s.Server, "", "set ONEFOLD_TOKEN"},
		"with a wrong one": {s.Server, "s3cret", "does not take this token"},
		"nobody there":     {"http://127.0.0.1:1", "secret", `start one with "onefold run ./..."`},
		"no address":       {"127.0.0.1:8080", "secret", "no address such as"},
		"not found":        {s.Server, "secret", "nothing: there is no workflow of this id"},
	} {
		c := &inspect.Client{Server: test.server, Token: test.token, HTTP: http.DefaultClient}
		_, err := c.History(context.Background(), "nothing")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
		if test.token != "" && err != nil && strings.Contains(err.Error(), test.token) {
			t.Errorf("%s: the error shows the token: %v", name, err)
		}
	}
	_, err := (&inspect.Client{Server: "http://127.0.0.1:1", HTTP: http.DefaultClient}).App(t.Context())
	if !errors.Is(err, inspect.ErrNoAnswer) {
		t.Errorf("nobody there: %v", err)
	}
}

// TestScreen checks that a line fits, and that nothing from elsewhere drives the terminal.
func TestScreen(t *testing.T) {
	dead := &inspect.DeadLetters{List: []*inspect.DeadLetter{{ID: "1", Method: "S.M", Reason: "\x1b[31mred\nnext\u009b0m " + strings.Repeat("x", 100)}}}
	got := text(t, 60, nil, func(s *inspect.Screen) error { return s.Dead(dead) })
	if strings.ContainsAny(got, "\x1b\u009b") {
		t.Errorf("control characters get through: %q", got)
	}
	for line := range strings.Lines(got) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 60 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(got, "·[31mred next·0m xx") || !strings.Contains(got, "…\n") {
		t.Errorf("%s", got)
	}
	value := inspect.Row{Value: json.RawMessage("{\"a\":\"\u009b\"}")}
	if got := text(t, 0, nil, func(s *inspect.Screen) error { return s.Value(value) }); got != "\n{\n  \"a\": \"\\u009b\"\n}\n" {
		t.Errorf("%q", got)
	}
}
