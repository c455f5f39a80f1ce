//go:build foundationdb && fdbsim

package fdbsim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// Cluster is a simulated cluster, as its tests see it.
type Cluster struct {
	db          fdb.Database
	clusterFile string
	server      *exec.Cmd // nil if the cluster is in this process
}

// clusters numbers the clusters of this process, which need distinct names.
var clusters atomic.Int64

// New returns a new cluster in this process. Its cluster file is in dir. It
// lives until it and all engines on it are closed.
func New(dir string) (*Cluster, error) {
	return attach(dir, fmt.Sprintf("fdbsim:c%d@memory", clusters.Add(1)), nil)
}

// Serve returns a new cluster in a process of its own, which runs program,
// fdbsimd. Its cluster file and its socket are in dir. Closing it ends it.
func Serve(ctx context.Context, program, dir string) (*Cluster, error) {
	cmd := exec.CommandContext(ctx, program, filepath.Join(dir, "fdbsim.sock"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		var c *Cluster
		if c, err = attach(dir, strings.TrimSpace(line), cmd); err == nil {
			return c, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("fdbsim: %s: %w", program, err), cmd.Process.Kill(), cmd.Wait())
}

// attach connects to the cluster of a connection string and writes its file.
func attach(dir, connection string, server *exec.Cmd) (*Cluster, error) {
	if err := fdb.APIVersion(730); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "fdb.cluster")
	text := "# A simulated cluster of fdbsim, which is a test double.\n" + connection + "\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, err
	}
	db, err := fdb.OpenWithConnectionString(connection)
	if err != nil {
		return nil, err
	}
	c := &Cluster{db: db, clusterFile: file, server: server}
	if _, err := c.Stats(); err != nil {
		db.Close()
		return nil, err
	}
	return c, nil
}

// ClusterFile is the path of the cluster file, for those who want to connect.
func (c *Cluster) ClusterFile() string { return c.clusterFile }

// Close disconnects from the cluster, and ends its server.
func (c *Cluster) Close() error {
	c.db.Close()
	if c.server == nil {
		return nil
	}
	return c.Kill()
}

// Kill ends the cluster's server, with all that the cluster holds.
func (c *Cluster) Kill() error {
	if err := c.server.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = c.server.Wait() // that it was killed, or that it was waited for before
	return nil
}

// command has the cluster obey a command and returns what it answers.
func (c *Cluster) command(command string) (string, error) {
	tr, err := c.db.CreateTransaction()
	if err != nil {
		return "", err
	}
	answer, err := tr.Get(fdb.Key("\xff\xff/fdbsim/" + command)).Get()
	if err != nil {
		return "", fmt.Errorf("fdbsim: %s: %w", command, err)
	}
	return string(answer), nil
}

// Advance lets time pass for the cluster.
func (c *Cluster) Advance(d time.Duration) error {
	_, err := c.command(fmt.Sprintf("clock advance=%d", d.Microseconds()))
	return err
}

// Freeze stops the cluster's clock; only Advance moves it then.
func (c *Cluster) Freeze() error {
	_, err := c.command("clock freeze")
	return err
}

// Run lets the cluster's clock run again.
func (c *Cluster) Run() error {
	_, err := c.command("clock run")
	return err
}

// Land makes all commits arrive that were to land late, and returns how many the
// cluster took: those that conflict by now are lost.
func (c *Cluster) Land() (int, error) {
	answer, err := c.command("land")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(answer)
}

// Stats are counts of a cluster since its last Reset.
type Stats struct {
	ReadVersions, Gets, Ranges, Commits int // asked for, failed ones included
	Fired                               int // faults that have struck
	Late                                int // commits on their way
	Batches                             int // of commits
	Keys                                int // in the store, some perhaps only for old versions
}

// Stats returns the cluster's counts.
func (c *Cluster) Stats() (Stats, error) {
	answer, err := c.command("stats")
	if err != nil {
		return Stats{}, err
	}
	n := parseCounts(answer)
	return Stats{
		ReadVersions: n["grv"], Gets: n["get"], Ranges: n["range"], Commits: n["commit"],
		Fired: n["fired"], Late: n["late"], Batches: n["batches"], Keys: n["keys"],
	}, nil
}

// Live returns how many futures and transactions of this process the double has
// in memory.
func (c *Cluster) Live() (futures, transactions int, err error) {
	answer, err := c.command("client")
	n := parseCounts(answer)
	return n["futures"], n["transactions"], err
}

// parseCounts reads lines of a name and a number.
func parseCounts(text string) map[string]int {
	counts := map[string]int{}
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) == 2 {
			counts[fields[0]], _ = strconv.Atoi(fields[1]) // the double writes numbers
		}
	}
	return counts
}
