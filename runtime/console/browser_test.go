package console_test

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/local/localtest"
)

var screenshots = flag.String("screenshots", "", "keep pictures of the page in `folder`")

// patience is how long the test waits for what must come. Only a failure takes it.
const patience = 90 * time.Second

// A tab is the console in a browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu       sync.Mutex
	requests []string // URLs
	problems []string // errors in the browser's console
}

// browse opens the console at base in headless Chromium; without one it skips the test.
func browse(t *testing.T, base string) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("SKIPPED: no browser; install Debian's package chromium to test the console page")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 900))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, base: base}
	b.watch()
	b.do(chromedp.Navigate(base + "/_onefold/"))
	return b
}

// watch collects requests and what is wrong.
func (b *tab) watch() {
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	messages := chromedp.Console(b.ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == "error" || m.Type == "warning" {
				b.note(&b.problems, fmt.Sprint(m, " ", m.URL))
			}
		}
	}()
	sent := chromedp.Events(b.ctx, network.RequestWillBeSent)
	go func() {
		for e, err := range sent {
			if err != nil {
				return
			}
			b.note(&b.requests, e.Request.URL)
		}
	}()
}

func (b *tab) note(list *[]string, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*list = append(*list, text)
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.text())
	}
}

// click clicks on the element that an XPath finds.
func (b *tab) click(path string) {
	b.t.Helper()
	b.do(chromedp.Click(path))
}

// typed replaces what is in a form's field.
func (b *tab) typed(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.CSS(selector), text))
}

func (b *tab) open(hash string) {
	b.t.Helper()
	b.eval(fmt.Sprintf("location.hash = %q", hash))
}

func (b *tab) eval(js string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("String("+js+")"))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return text
}

func (b *tab) text() string {
	text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
	return text
}

// until waits until the page shows all of the texts.
func (b *tab) until(texts ...string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		shown, missing := b.text(), ""
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				missing = text
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("the page does not come to show %q, but\n%s\nproblems: %q", missing, shown, b.problems)
		}
	}
}

// picture keeps a screenshot in both colour schemes if that is asked for.
func (b *tab) picture(name string) {
	if *screenshots == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		feature := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme}
		_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{feature}})
		if err != nil {
			b.t.Fatal(err)
		}
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(*screenshots, name+"-"+scheme+".png"), png, 0o666); err != nil {
			b.t.Fatal(err)
		}
	}
}

// clean fails the test if anything was wrong, or a request left the server.
func (b *tab) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.t.Errorf("in the browser's console: %s", p)
	}
	want, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, r := range b.requests {
		if u, err := url.Parse(r); err != nil || u.Host != want.Host && u.Scheme != "data" && u.Scheme != "blob" {
			b.t.Errorf("a request went to %s", r)
		}
	}
	if len(b.requests) == 0 {
		b.t.Error("no request was seen")
	}
}

// TestBrowser uses the console as a person does.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short; a browser takes some seconds")
	}
	app := new(localtest.Orders)
	app.Broken.Store(true)
	b := browse(t, app.Serve(t, local.Options{}))
	b.until("Orders", "Fulfil (item)", "Stock", "Take (item)", "atomic", "requests/s")
	b.fulfil("lamp")
	b.waits()
	b.failsAndIsRetried(app)
	b.fulfil("<i>desk</i>")
	b.isCancelled()
	b.keeps()
	b.hides()
	b.open("#/services")
	b.until("p95")
	b.picture("services")
	b.clean()
}

// fulfil starts Orders.Fulfil with the form and opens the workflow.
func (b *tab) fulfil(item string) {
	b.t.Helper()
	b.open("#/services")
	b.click(`//button[@aria-label="Try Orders.Fulfil"]`)
	b.typed("#try-body", fmt.Sprintf(`{"item": %q}`, item))
	b.click(`//dialog//button[.="Send"]`)
	b.until("202", `"method": "Orders.Fulfil"`)
	b.picture("try")
	b.click(`//dialog//a[.="Open the workflow"]`)
}

// waits looks at the steps: a call, a group of two branches with effects, and the
// wait for a signal, which it sends.
func (b *tab) waits() {
	b.t.Helper()
	b.until("Orders.Fulfil", "suspended", "Stock.Take", "→ 2", "2 branches", "2.2.1", `"labeled lamp"`, "waits for signal paid")
	b.click(`//summary[contains(., "Stock.Take")]`)
	b.until("began")
	b.picture("waiting")
	b.click(`//button[.="Send a signal"]`)
	b.typed("#signal-value", `"ann"`)
	b.click(`//dialog//button[.="Send"]`)
}

// failsAndIsRetried finds the child, which panics, among the dead letters, and has
// it tried again when it is repaired.
func (b *tab) failsAndIsRetried(app *localtest.Orders) {
	b.t.Helper()
	b.open("#/dead")
	b.until("Orders.Ship", "has broken down")
	b.picture("dead")
	app.Broken.Store(false)
	b.click(`//button[starts-with(@aria-label, "Retry Orders.Ship")]`)
	b.until("It is tried again.")
	b.until("None. What fails too often")
	b.open("#/workflows")
	b.until("completed", "Orders.Ship")
	b.click(`//tr[contains(., "Orders.Fulfil")]//a`)
	b.until("completed", `"parcel with lamp for ann"`, "ship", "child")
	b.picture("completed")
}

// isCancelled cancels the workflow that is open.
func (b *tab) isCancelled() {
	b.t.Helper()
	b.until(`"packed <i>desk</i>"`)
	b.click(`//button[.="Cancel"]`)
	b.click(`//dialog//button[.="Cancel it"]`)
	b.until("Cancelled.")
	b.open("#/workflows")
	b.until("cancelled", "completed")
	b.picture("workflows")
}

// keeps looks at the state, where text is as it is, and goes there by keyboard.
func (b *tab) keeps() {
	b.t.Helper()
	b.open("#/state")
	b.until("Choose a field.")
	for range 20 {
		b.do(chromedp.KeyEvent("\t"))
		if b.eval("document.activeElement.hash") == "#/state/Stock.items" {
			break
		}
	}
	b.do(chromedp.KeyEvent("\r"))
	b.until("<i>desk</i>", "lamp", "map[string]int", "key")
	b.picture("state")
}

// hides checks that a page that nobody sees asks for nothing.
func (b *tab) hides() {
	b.t.Helper()
	b.eval(`(() => {
		const real = window.fetch;
		window.sent = 0;
		window.fetch = (...args) => { window.sent++; return real(...args); };
		Object.defineProperty(document, 'hidden', { value: true, configurable: true });
	})()`)
	time.Sleep(1200 * time.Millisecond) // the shortest interval is a second
	if n := b.eval("window.sent"); n != "0" {
		b.t.Errorf("%s requests while the page was hidden", n)
	}
	b.eval("delete document.hidden, document.dispatchEvent(new Event('visibilitychange'))")
	for deadline := time.Now().Add(patience); b.eval("window.sent") == "0"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatal("no request once the page can be seen again")
		}
	}
}
