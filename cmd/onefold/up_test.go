package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/onefold/onefold/control/stage"
)

// get asks until the reply matches: get URL REGEXP.
func get(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(args[1])
	last := ""
	for range 600 {
		resp, err := http.Get(args[0])
		ts.Check(err)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		ts.Check(err)
		if last = string(body); want.MatchString(last) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("get %s: %s, want %s", args[0], last, args[1])
}

// processes returns the processes whose ids a file has where a regular expression says.
func processes(ts *testscript.TestScript, file, expression string) (pids []int) {
	data, err := os.ReadFile(ts.MkAbs(file))
	ts.Check(err)
	for _, match := range regexp.MustCompile(expression).FindAllStringSubmatch(string(data), -1) {
		pid, err := strconv.Atoi(match[1])
		ts.Check(err)
		pids = append(pids, pid)
	}
	if pids == nil {
		ts.Fatalf("%s has no %s:\n%s", file, expression, data)
	}
	return pids
}

// killProcess kills a process: killprocess FILE REGEXP.
func killProcess(ts *testscript.TestScript, _ bool, args []string) {
	pids := processes(ts, args[0], args[1])
	ts.Check(syscall.Kill(pids[len(pids)-1], syscall.SIGKILL))
}

// gone checks that processes have ended: gone FILE REGEXP.
func gone(ts *testscript.TestScript, _ bool, args []string) {
	for _, pid := range processes(ts, args[0], args[1]) {
		if pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			ts.Fatalf("process %d still runs", pid)
		}
	}
}

func TestStatusTable(t *testing.T) {
	s := status{Replicas: []process{
		{Replica: stage.Replica{Service: "Hotel", Number: 2, PID: 17, State: "up", Restarts: 1}, Rate: 12.4, CPUs: 0.5},
		{Replica: stage.Replica{Service: "storage", Number: 1, State: "waiting"}},
	}}
	want := strings.Join([]string{
		"  SERVICE  REPLICA  PID    STATE  RESTARTS  REQ/S  CPU",
		"    Hotel        2   17       up         1     12  50%",
		"  storage        1    0  waiting         0      0   0%",
		"",
	}, "\n")
	if diff := cmp.Diff(want, s.table()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestScreen logs a line while a table is shown: the table stays the last.
func TestScreen(t *testing.T) {
	var b strings.Builder
	s := newScreen(&b, &b, true)
	s.table("one\ntwo\n")
	s.Write([]byte("log\n"))
	s.table("three\n")
	const clear2 = "\x1b[2A\x1b[J"
	if want := "one\ntwo\n" + clear2 + "log\none\ntwo\n" + clear2 + "three\n"; b.String() != want {
		t.Errorf("the terminal got %q, want %q", b.String(), want)
	}
}
