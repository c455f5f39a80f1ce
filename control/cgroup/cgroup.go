// Package cgroup gives processes control groups of their own, of version 1 or 2,
// whichever the machine has its CPU controller in. A group limits how much CPU its
// processes get, and knows how much they used.
package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// period is the length of the periods in which a quota is given out: short ones
// make waits short, as a request notices them.
const period = 100 * time.Millisecond

// prefix begins the names of trees; what follows is the process that made them.
const prefix = "onefold-"

// A Tree is a place for groups, below the group that this process is in.
type Tree struct {
	*hierarchy
	name string
}

// New makes a tree for the groups of this process. Its error says why the machine
// does not allow that. Trees that dead processes left behind are removed.
func New() (*Tree, error) {
	h, err := detect("/proc/self")
	if err != nil {
		return nil, err
	}
	return h.tree(os.Getpid())
}

// tree makes the tree of a process.
func (h *hierarchy) tree(pid int) (*Tree, error) {
	h.sweep()
	t := &Tree{hierarchy: h, name: prefix + strconv.Itoa(pid)}
	if h.v2 {
		if err := h.delegate(pid); err != nil {
			return nil, err
		}
	}
	for _, dir := range h.dirs() {
		if err := os.Mkdir(filepath.Join(dir, t.name), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make a control group: %w", err)
		}
	}
	if h.v2 {
		return t, write(filepath.Join(h.cpu, t.name, "cgroup.subtree_control"), "+cpu")
	}
	return t, nil
}

// Group makes a group in the tree.
func (t *Tree) Group(name string) (*Group, error) {
	g := &Group{hierarchy: t.hierarchy, cpu: filepath.Join(t.hierarchy.cpu, t.name, name), account: filepath.Join(t.hierarchy.account, t.name, name)}
	for _, dir := range g.dirs() {
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make a control group: %w", err)
		}
	}
	return g, nil
}

// Close removes the tree; its groups are removed before.
func (t *Tree) Close() error {
	var errs []error
	for _, dir := range t.dirs() {
		errs = append(errs, os.Remove(filepath.Join(dir, t.name)))
	}
	if t.v2 {
		t.restore(os.Getpid())
	}
	return errors.Join(errs...)
}

// sweep removes the trees of processes that are dead.
func (h *hierarchy) sweep() {
	for _, dir := range h.dirs() {
		trees, _ := filepath.Glob(filepath.Join(dir, prefix+"*"))
		for _, tree := range trees {
			pid, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(tree), prefix), selfSuffix))
			if err != nil || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
				continue
			}
			groups, _ := os.ReadDir(tree)
			for _, g := range groups {
				if g.IsDir() {
					os.Remove(filepath.Join(tree, g.Name())) // fails if something still runs in it
				}
			}
			os.Remove(tree)
		}
	}
}

// write writes to a control file.
func write(name, value string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}
