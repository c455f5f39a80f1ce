//go:build e2e

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The one node of the cluster: its address is that of the bridge to which the pods
// are connected.
const (
	nodeName    = "e2e"
	nodeAddress = "10.244.0.1"
)

// machine prepares the private namespaces for a node, and sees to it that nothing
// of it stays. It comes before everything that starts processes.
func machine(t *testing.T, dir string) {
	t.Helper()
	t.Cleanup(func() { clear(t, dir) })
	for _, folder := range []string{"/run", "/var/lib", "/var/log"} { // what programs write to places of the machine
		run(t, "mount", "-t", "tmpfs", "tmpfs", folder)
	}
	// The kubelet wants these; the machine's own stay as they are.
	for name, value := range map[string]string{"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1"} {
		run(t, "mount", "--bind", write(t, dir, "sysctl/"+name, value+"\n"), "/proc/sys/"+name)
	}
	run(t, "ip", "link", "add", "cni0", "type", "bridge")
	run(t, "ip", "addr", "add", nodeAddress+"/24", "dev", "cni0")
	run(t, "ip", "link", "set", "cni0", "up")
	run(t, "ip", "route", "add", "default", "dev", "cni0") // without one, addresses of Services lead nowhere
	run(t, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
	for _, folder := range cgroups(t) {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// cgroupRoot is the control group of all pods.
var cgroupRoot = fmt.Sprintf("/onefold-e2e-%d", time.Now().UnixNano())

// cgroups returns the folders of cgroupRoot: one for each hierarchy.
func cgroups(t *testing.T) []string {
	var folders []string
	for _, m := range mounts(t) {
		if strings.HasPrefix(m.kind, "cgroup") && !slices.Contains(folders, m.path+cgroupRoot) {
			folders = append(folders, m.path+cgroupRoot)
		}
	}
	return folders
}

// mount is a line of mountinfo.
type mount struct{ path, kind string }

func mounts(t *testing.T) []mount {
	t.Helper()
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []mount
	for lines := bufio.NewScanner(f); lines.Scan(); {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		all = append(all, mount{strings.Fields(before)[4], strings.Fields(after)[0]})
	}
	return all
}

// clear ends every process of the namespace, and removes what they mounted below
// dir and their control groups.
func clear(t *testing.T, dir string) {
	if os.Getpid() != 1 {
		t.Fatal("the test is not in a process namespace of its own")
	}
	_ = syscall.Kill(-1, syscall.SIGKILL) // there may be none left
	all := mounts(t)
	slices.Reverse(all)
	for _, m := range all {
		if strings.HasPrefix(m.path, dir+"/") {
			_ = syscall.Unmount(m.path, syscall.MNT_DETACH) // what stays is found by the removal of dir
		}
	}
	for _, folder := range cgroups(t) {
		var err error
		for range 100 { // processes end a moment after they are killed
			if err = removeGroups(folder); err == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// removeGroups removes a control group and those below it.
func removeGroups(folder string) error {
	var folders []string
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, f := range slices.Backward(folders) {
		if err := syscall.Rmdir(f); err != nil {
			return fmt.Errorf("remove control group %s: %w", f, err)
		}
	}
	return err
}

// node starts what makes the machine the cluster's node, and waits for it.
func (c *cluster) node(t *testing.T) {
	t.Helper()
	write(t, c.dir, "cni/10-bridge.conflist", `{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "subnet": "10.244.0.0/24", "gateway": "10.244.0.1", "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}`)
	write(t, c.dir, "registries/"+registryAddress+"/hosts.toml", fmt.Sprintf("server = \"http://%[1]s\"\n[host.\"http://%[1]s\"]\ncapabilities = [\"pull\", \"resolve\"]\n", registryAddress))
	start(t, "/usr/bin/containerd", "--config", c.fill(t, "containerd.toml", containerd))
	start(t, "kube-controller-manager", "--kubeconfig", c.kubeconfig, "--leader-elect=false", "--bind-address=127.0.0.1",
		"--service-account-private-key-file", c.accounts, "--root-ca-file", c.certificate)
	start(t, "kube-scheduler", "--kubeconfig", c.kubeconfig, "--leader-elect=false", "--bind-address=127.0.0.1")
	eventually(t, "containerd listens", time.Minute, func() error {
		_, err := os.Stat(filepath.Join(c.dir, "containerd.sock"))
		return err
	})
	start(t, "kubelet", "--config", c.fill(t, "kubelet.yaml", kubelet), "--kubeconfig", c.kubeconfig, "--hostname-override="+nodeName,
		"--node-ip="+nodeAddress, "--root-dir", filepath.Join(c.dir, "kubelet"), "--cert-dir", filepath.Join(c.dir, "kubelet-certificates"))
	start(t, "kube-proxy", "--config", c.fill(t, "proxy.yaml", proxy))
	eventually(t, "the node is ready", 2*time.Minute, func() error {
		return c.condition(t.Context(), schema.GroupVersionKind{Version: "v1", Kind: "Node"}, "", nodeName, "Ready")
	})
}

// fill writes a configuration file, with the folder of the cluster for DIR and so on.
func (c *cluster) fill(t *testing.T, name, text string) string {
	return write(t, c.dir, name, strings.NewReplacer("DIR", c.dir, "REGISTRY", registryAddress, "CGROUP", cgroupRoot, "NODE", nodeName).Replace(text))
}

const containerd = `
version = 2
root = "DIR/containerd"
state = "DIR/containerd-state"
[grpc]
address = "DIR/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
path = "DIR/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "REGISTRY/pause"
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "DIR/cni"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "DIR/registries"
`

const kubelet = `
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://DIR/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: CGROUP
failCgroupV1: false
failSwapOn: false
localStorageCapacityIsolation: false
clusterDomain: cluster.local
clusterDNS: [10.96.0.10]
podLogsDir: DIR/logs
volumePluginDir: DIR/volume-plugins
resolvConf: ""
evictionHard: {memory.available: 50Mi, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%}
imageGCHighThresholdPercent: 100
syncFrequency: 10s
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
`

const proxy = `
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: DIR/kubeconfig}
hostnameOverride: NODE
mode: iptables
clusterCIDR: 10.244.0.0/24
iptables: {masqueradeAll: true}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
healthzBindAddress: 127.0.0.1:10256
`
