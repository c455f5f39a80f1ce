package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// sandbox runs the files of an image as a manifest says, as a container engine
// would: sandbox ROOT MANIFEST. It takes the command line, the environment, the user, the
// read-only root, the volume and the probes of the StatefulSet, sends each line of standard
// input as a request, prints the replies, and ends the process as Kubernetes
// does. Network, mounts and processes are its own, so that ports cannot clash and nothing
// is left behind.
func sandbox() {
	if len(os.Args) == 3 {
		os.Exit(inNamespaces(os.Args[1:]))
	}
	root, err := filepath.Abs(os.Args[1])
	if err == nil {
		err = runContainer(root, os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// inNamespaces runs this program again where it is alone.
func inNamespaces(args []string) int {
	cmd := exec.Command("/proc/self/exe", append(args, "inside")...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = ownNamespaces()
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// ownNamespaces are the namespaces of a sandbox.
func ownNamespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID, Pdeathsig: unix.SIGKILL}
}

// canSandbox reports whether this machine lets us make namespaces.
func canSandbox() bool {
	cmd := exec.Command("true")
	cmd.SysProcAttr = ownNamespaces()
	return cmd.Run() == nil
}

// statefulSet returns the one in a manifest.
func statefulSet(file string) (*corev1.PodSpec, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for _, document := range bytes.Split(data, []byte("\n---\n")) {
		var set appsv1.StatefulSet
		if err := yaml.Unmarshal(document, &set); err == nil && set.Kind == "StatefulSet" {
			return &set.Spec.Template.Spec, nil
		}
	}
	return nil, fmt.Errorf("%s has no StatefulSet", file)
}

func runContainer(root, manifest string) error {
	pod, err := statefulSet(manifest)
	if err != nil {
		return err
	}
	c := pod.Containers[0]
	if err := prepare(root, c); err != nil {
		return err
	}
	user := uint32(*c.SecurityContext.RunAsUser)
	cmd := &exec.Cmd{Path: c.Command[0], Args: append(c.Command, c.Args...), Dir: "/", Env: []string{"PATH=/"}, Stderr: os.Stderr, Stdout: io.Discard}
	for _, v := range c.Env {
		cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user}}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	base := fmt.Sprintf("http://127.0.0.1:%d", c.ReadinessProbe.HTTPGet.Port.IntValue())
	if err := untilReady(base+c.ReadinessProbe.HTTPGet.Path, ended); err != nil {
		return err
	}
	for _, path := range []string{c.LivenessProbe.HTTPGet.Path, "/openapi.json"} {
		if _, err := ask(base+path, nil); err != nil {
			return err
		}
	}
	requests, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(requests)) {
		path, body, _ := strings.Cut(strings.TrimSpace(line), " ")
		reply, err := ask(base+path, strings.NewReader(body))
		if err != nil {
			return err
		}
		fmt.Printf("%s", reply)
	}
	return end(cmd, ended, *pod.TerminationGracePeriodSeconds)
}

// prepare makes the root read-only, with the volume in its place, and the loopback
// device work.
func prepare(root string, c corev1.Container) error {
	data, err := os.MkdirTemp(filepath.Dir(root), "volume")
	if err != nil {
		return err
	}
	// Like fsGroup does.
	if err := os.Chown(data, -1, int(*c.SecurityContext.RunAsUser)); err != nil {
		return err
	}
	if err := os.Chmod(data, 0o770); err != nil {
		return err
	}
	steps := []struct {
		source, target string
		flags          uintptr
	}{
		{"", "/", unix.MS_REC | unix.MS_PRIVATE},
		{root, root, unix.MS_BIND},
		{data, filepath.Join(root, c.VolumeMounts[0].MountPath), unix.MS_BIND},
		{"", root, unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY},
	}
	for _, s := range steps {
		if err := unix.Mount(s.source, s.target, "", s.flags, ""); err != nil {
			return fmt.Errorf("mount %s: %w", s.target, err)
		}
	}
	return loopback()
}

// loopback brings lo up, which is down in a new network namespace.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// untilReady asks the readiness probe until it is content, or the process ends.
func untilReady(probe string, ended <-chan error) error {
	for {
		if _, err := ask(probe, nil); err == nil {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("the process ended before it was ready: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ask gets a document, or posts a body.
func ask(url string, body io.Reader) ([]byte, error) {
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, reply.Status, data)
	}
	return data, err
}

// end stops the process, which must end by itself within its grace period.
func end(cmd *exec.Cmd, ended <-chan error, grace int64) error {
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(time.Duration(grace) * time.Second):
		return errors.New("the process did not end within its grace period")
	}
}
