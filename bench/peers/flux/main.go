// Flux's apply engine as a benchmark peer: github.com/fluxcd/pkg/ssa, as kustomize-controller calls it.
// It speaks the protocol of bench/peer.ts: a word on stdin, a line of JSON on stdout.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/utils"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig")
	folder := flag.String("manifests", "", "folder of YAML or JSON files")
	// The defaults of kustomize-controller: --kube-api-qps, --kube-api-burst, --concurrent-ssa.
	qps := flag.Float64("qps", 50, "requests a second")
	burst := flag.Int("burst", 300, "requests at once")
	concurrency := flag.Int("concurrency", 4, "objects at once")
	flag.Parse()
	log.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	must(err)
	config.QPS, config.Burst = float32(*qps), *burst
	manager := newManager(config)
	manager.SetConcurrency(*concurrency)
	var objects []*unstructured.Unstructured
	lines := bufio.NewScanner(os.Stdin)
	fmt.Println(`{"ready":true}`)
	for lines.Scan() {
		switch lines.Text() {
		case "load":
			answer(func() (map[string]any, error) {
				var err error
				objects, err = load(*folder)
				return map[string]any{"objects": len(objects)}, err
			})
		case "apply", "check":
			// Flux has one way for both: a GET and a dry run of each object, then an apply of those that differ.
			answer(func() (map[string]any, error) { return apply(manager, objects) })
		default:
			answer(func() (map[string]any, error) { return nil, fmt.Errorf("unknown command %q", lines.Text()) })
		}
	}
}

func newManager(config *rest.Config) *ssa.ResourceManager {
	httpClient, err := rest.HTTPClientFor(config)
	must(err)
	mapper, err := apiutil.NewDynamicRESTMapper(config, httpClient)
	must(err)
	kube, err := client.New(config, client.Options{HTTPClient: httpClient, Mapper: mapper})
	must(err)
	poller := polling.NewStatusPoller(kube, mapper, polling.Options{})
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	return ssa.NewResourceManager(kube, poller, owner)
}

func apply(manager *ssa.ResourceManager, objects []*unstructured.Unstructured) (map[string]any, error) {
	copies := make([]*unstructured.Unstructured, len(objects))
	for i, object := range objects {
		copies[i] = object.DeepCopy()
	}
	changes, err := manager.ApplyAllStaged(context.Background(), copies, ssa.DefaultApplyOptions())
	if err != nil {
		return nil, err
	}
	changed := 0
	for _, entry := range changes.Entries {
		if entry.Action != ssa.UnchangedAction {
			changed++
		}
	}
	return map[string]any{"changed": changed, "objects": len(changes.Entries)}, nil
}

func load(folder string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, file := range files {
		if !strings.HasSuffix(file, ".json") && !strings.HasSuffix(file, ".yaml") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		items, err := utils.ReadObjects(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		objects = append(objects, items...)
	}
	return objects, nil
}

// answer runs the work and prints what it took: wall and CPU seconds of this process, and its peak memory so far.
func answer(work func() (map[string]any, error)) {
	before, started := cpuSeconds(), time.Now()
	out, err := work()
	if out == nil {
		out = map[string]any{}
	}
	out["seconds"] = time.Since(started).Seconds()
	out["cpuSeconds"] = cpuSeconds() - before
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	out["maxRssBytes"] = usage.Maxrss * 1024
	if err != nil {
		out["error"] = err.Error()
	}
	line, err := json.Marshal(out)
	must(err)
	fmt.Println(string(line))
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
