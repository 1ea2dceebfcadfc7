// Flux's apply engine as a benchmark peer: github.com/fluxcd/pkg/ssa, as kustomize-controller calls it.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"

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
	"trueup.dev/bench/protocol"
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
	protocol.Must(err)
	config.QPS, config.Burst = float32(*qps), *burst
	manager := newManager(config)
	manager.SetConcurrency(*concurrency)
	var objects []*unstructured.Unstructured
	protocol.Serve(func(command string) (map[string]any, error) {
		switch command {
		case "load":
			var err error
			objects, err = load(*folder)
			return map[string]any{"objects": len(objects)}, err
		case "apply", "check":
			// Flux has one way for both: a GET and a dry run of each object, then an apply of those that differ.
			return apply(manager, objects)
		}
		return nil, fmt.Errorf("unknown command %q", command)
	})
}

func newManager(config *rest.Config) *ssa.ResourceManager {
	httpClient, err := rest.HTTPClientFor(config)
	protocol.Must(err)
	mapper, err := apiutil.NewDynamicRESTMapper(config, httpClient)
	protocol.Must(err)
	kube, err := client.New(config, client.Options{HTTPClient: httpClient, Mapper: mapper})
	protocol.Must(err)
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
	var objects []*unstructured.Unstructured
	err := protocol.EachManifest(folder, func(data []byte) error {
		items, err := utils.ReadObjects(bytes.NewReader(data))
		objects = append(objects, items...)
		return err
	})
	return objects, err
}
