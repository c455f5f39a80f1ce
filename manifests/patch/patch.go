// Package patch prepares Kubernetes manifests that somebody else wrote for profiling and
// steering: the poker entrypoint, Slowpoke's environment, annotations for the throttle
// controller. It changes the text and not the documents, so that comments, order, quotes and
// blank lines stay as they are.
package patch

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Options say what to add.
type Options struct {
	Poker       string            // path of poker in the containers; "" adds no entrypoint and no environment
	Target      string            // name of the workload that shall be virtually faster
	Variables   []Variable        // of the others
	OfTarget    []Variable        // of the target
	Annotations []Variable        // of every workload
	Containers  map[string]string // of a workload: the container to patch, by default the first
	Entrypoints map[string]string // of a container: its command, where the manifest has none
}

// Variable is a name and its value: an environment variable, or an annotation.
type Variable struct{ Name, Value string }

// Result is a patched file.
type Result struct {
	Data      []byte
	Workloads []string // names of the workloads that it has
	Warnings  []string // with positions
}

// Patch returns the manifests of one file with what opts say. The error lists all
// that cannot be patched, each with its position. Patching again changes nothing.
func Patch(file string, data []byte, opts Options) (Result, error) {
	p := &patcher{file: file, opts: opts, text: newText(data), seen: map[*yaml.Node]bool{}}
	for d := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var n yaml.Node
		err := d.Decode(&n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", file, err)
		}
		if len(n.Content) > 0 {
			p.document(n.Content[0])
		}
	}
	if err := errors.Join(p.errs...); err != nil {
		return Result{}, err
	}
	p.result.Data = p.text.edited()
	return p.result, nil
}

// patcher patches one file.
type patcher struct {
	file   string
	opts   Options
	text   *text
	result Result
	errs   []error
	seen   map[*yaml.Node]bool // what has been patched
}

// once reports whether a mapping can be patched: it is one, and not patched yet
// for somebody else who shares it by an alias.
func (p *patcher) once(n *yaml.Node, what string) bool {
	if n == nil || n.Kind != yaml.MappingNode {
		if n != nil {
			p.errorf(n, "%s has no keys", what)
		}
		return false
	}
	if p.seen[n] {
		p.errorf(n, "%s is shared by an alias; write it out for each workload", what)
		return false
	}
	p.seen[n] = true
	return true
}

func (p *patcher) at(n *yaml.Node, format string, args ...any) string {
	return fmt.Sprintf("%s:%d:%d: %s", p.file, n.Line, n.Column, fmt.Sprintf(format, args...))
}

func (p *patcher) errorf(n *yaml.Node, format string, args ...any) {
	p.errs = append(p.errs, errors.New(p.at(n, format, args...)))
}

// templates says where the kinds of workloads have their pods.
var templates = map[string][]string{
	"Deployment": {"spec", "template"}, "StatefulSet": {"spec", "template"}, "DaemonSet": {"spec", "template"},
	"ReplicaSet": {"spec", "template"}, "Pod": {},
}

// document patches a document if it is a workload, or a list of them.
func (p *patcher) document(n *yaml.Node) {
	kind, version := scalar(get(n, "kind")), scalar(get(n, "apiVersion"))
	if kind == "List" {
		for _, item := range elements(get(n, "items")) {
			p.document(item)
		}
		return
	}
	path, ok := templates[kind]
	if kind == "Service" && len(version) > len("serving.knative.dev/") && version[:len("serving.knative.dev/")] == "serving.knative.dev/" {
		path, ok = []string{"spec", "template"}, true
	}
	if !ok {
		return
	}
	metadata, template := get(n, "metadata"), get(n, path...)
	name := scalar(get(metadata, "name"))
	if metadata == nil || name == "" {
		p.errorf(n, "%s has no name", kind)
		return
	}
	p.result.Workloads = append(p.result.Workloads, name)
	p.annotate(metadata)
	if p.opts.Poker != "" {
		p.profile(n, name, get(template, "spec"))
	}
}

// annotate adds the annotations to an object.
func (p *patcher) annotate(metadata *yaml.Node) {
	if len(p.opts.Annotations) == 0 || !p.once(metadata, "metadata") {
		return
	}
	annotations := get(metadata, "annotations")
	if annotations == nil {
		p.insertKey(metadata, "annotations", mappingValue(p.opts.Annotations))
		return
	}
	if !p.once(annotations, "annotations") {
		return
	}
	for _, v := range p.opts.Annotations {
		if old := get(annotations, v.Name); old != nil {
			p.replace(old, v.Value)
		} else {
			p.insertKey(annotations, v.Name, scalarValue(v.Value))
		}
	}
}

// profile puts poker before the command of a workload's container, and sets
// Slowpoke's environment.
func (p *patcher) profile(n *yaml.Node, name string, pod *yaml.Node) {
	containers := elements(get(pod, "containers"))
	if len(containers) == 0 {
		p.errorf(n, "%s has no containers", name)
		return
	}
	c := containers[0]
	if wanted := p.opts.Containers[name]; wanted != "" {
		c = nil
		for _, one := range containers {
			if scalar(get(one, "name")) == wanted {
				c = one
			}
		}
		if c == nil {
			p.errorf(containers[0], "%s has no container %q", name, wanted)
			return
		}
	}
	if !p.once(c, "the container") {
		return
	}
	p.entrypoint(c)
	variables := p.opts.Variables
	if name == p.opts.Target {
		variables = p.opts.OfTarget
	}
	p.environment(c, append([]Variable{{"SLOWPOKE_SERV_NAME", name}}, variables...))
	if limit := get(c, "resources", "limits", "cpu"); limit != nil {
		p.result.Warnings = append(p.result.Warnings, p.at(limit, "%s has a limit of CPU, with which pauses have no effect and predictions are wrong; remove it while profiling", name))
	}
}

// entrypoint puts poker before the container's command.
func (p *patcher) entrypoint(c *yaml.Node) {
	command := get(c, "command")
	name := scalar(get(c, "name"))
	switch words := elements(command); {
	case len(words) > 0 && scalar(words[0]) == p.opts.Poker:
	case len(words) > 0:
		p.insertItems(command, [][]string{{quoted(p.opts.Poker)}, {`"--"`}})
	case p.opts.Entrypoints[name] != "":
		words := fmt.Sprintf(`[%s, "--", %s]`, quoted(p.opts.Poker), quoted(p.opts.Entrypoints[name]))
		p.insertKey(c, "command", value{words, words})
	default:
		p.errorf(c, "container %s has no command, and what its image starts is not known here; add a command, or name it with --entrypoint %s=COMMAND", name, name)
	}
}

// environment sets variables of a container.
func (p *patcher) environment(c *yaml.Node, variables []Variable) {
	env := get(c, "env")
	if len(elements(env)) == 0 {
		if env != nil {
			p.errorf(env, "env is empty; remove the key")
			return
		}
		p.insertKey(c, "env", listValue(itemsOf(variables)))
		return
	}
	var missing []Variable
	for _, v := range variables {
		if !p.setVariable(env, v) {
			missing = append(missing, v)
		}
	}
	p.insertItems(env, itemsOf(missing))
}

// itemsOf returns variables as the elements of a container's env.
func itemsOf(variables []Variable) [][]string {
	var items [][]string
	for _, v := range variables {
		items = append(items, []string{"name: " + v.Name, "value: " + quoted(v.Value)})
	}
	return items
}

// setVariable gives a variable its value if it is in the list.
func (p *patcher) setVariable(env *yaml.Node, v Variable) bool {
	for _, item := range elements(env) {
		if scalar(get(item, "name")) != v.Name {
			continue
		}
		if value := get(item, "value"); value != nil {
			p.replace(value, v.Value)
		} else {
			p.errorf(item, "%s comes from elsewhere; want a value, or nothing", v.Name)
		}
		return true
	}
	return false
}
