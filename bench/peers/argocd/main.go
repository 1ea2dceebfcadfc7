// Argo CD's engine as a benchmark peer: github.com/argoproj/gitops-engine over a watch cache of the whole cluster.
package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/engine"
	"github.com/argoproj/gitops-engine/pkg/sync"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"trueup.dev/bench/protocol"
)

// The mark by which the engine's own agent knows its objects; only their manifests are kept in memory.
const mark = "gitops-agent.argoproj.io/gc-mark"

type info struct{ mark string }

type peer struct {
	cache   cache.ClusterCache
	engine  engine.GitOpsEngine
	objects []*unstructured.Unstructured
	changed chan time.Time
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of a kubeconfig")
	folder := flag.String("manifests", "", "folder of YAML or JSON files")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	protocol.Must(err)
	// The limits of the client do not bind.
	config.QPS, config.Burst = 10_000, 10_000
	p := newPeer(config)
	protocol.Serve(func(command string) (map[string]any, error) { return p.do(command, *folder) })
}

func newPeer(config *rest.Config) *peer {
	log := logr.Discard()
	p := &peer{changed: make(chan time.Time, 100_000)}
	p.cache = cache.NewClusterCache(config,
		cache.SetLogr(log),
		cache.SetPopulateResourceInfoHandler(func(un *unstructured.Unstructured, _ bool) (any, bool) {
			value := un.GetAnnotations()[mark]
			return &info{mark: value}, value != ""
		}),
	)
	p.cache.OnResourceUpdated(func(newRes, _ *cache.Resource, _ map[kube.ResourceKey]*cache.Resource) {
		if newRes == nil || newRes.Info == nil || newRes.Info.(*info).mark == "" {
			return
		}
		select {
		case p.changed <- time.Now():
		default:
		}
	})
	p.engine = engine.NewEngine(config, p.cache, engine.WithLogr(log))
	return p
}

func (p *peer) do(command, folder string) (map[string]any, error) {
	switch command {
	case "load":
		objects, err := load(folder)
		p.objects = objects
		return map[string]any{"objects": len(objects)}, err
	case "start":
		_, err := p.engine.Run()
		return map[string]any{"cached": p.cache.GetClusterInfo().ResourcesCount}, err
	case "apply":
		results, err := p.engine.Sync(context.Background(), p.copies(), isManaged, "bench", "default", sync.WithLogr(logr.Discard()))
		return map[string]any{"changed": countFailed(results)}, err
	case "check":
		return p.check()
	case "forget":
		for len(p.changed) > 0 {
			<-p.changed
		}
		return nil, nil
	case "await":
		at := <-p.changed
		return map[string]any{"at": at.UnixMicro()}, nil
	}
	return nil, fmt.Errorf("unknown command %q", command)
}

// check compares the cache with what is wanted, as the engine's Sync does before it does anything.
func (p *peer) check() (map[string]any, error) {
	wanted := p.copies()
	managed, err := p.cache.GetManagedLiveObjs(wanted, isManaged)
	if err != nil {
		return nil, err
	}
	result := sync.Reconcile(wanted, managed, "default", p.cache)
	diffs, err := diff.DiffArray(result.Target, result.Live, diff.WithLogr(logr.Discard()))
	if err != nil {
		return nil, err
	}
	changed := 0
	for _, each := range diffs.Diffs {
		if each.Modified {
			changed++
		}
	}
	return map[string]any{"changed": changed, "objects": len(managed)}, nil
}

// The engine writes into what it is given.
func (p *peer) copies() []*unstructured.Unstructured {
	copies := make([]*unstructured.Unstructured, len(p.objects))
	for i, object := range p.objects {
		copies[i] = object.DeepCopy()
	}
	return copies
}

func isManaged(r *cache.Resource) bool { return r.Info != nil && r.Info.(*info).mark == "bench" }

func countFailed(results []common.ResourceSyncResult) int {
	failed := 0
	for _, each := range results {
		if each.Status == common.ResultCodeSyncFailed {
			failed++
		}
	}
	return failed
}

func load(folder string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	err := protocol.EachManifest(folder, func(data []byte) error {
		// Of a stream that begins as JSON the engine's own reader takes the first document alone.
		for _, document := range strings.Split(string(data), "\n---\n") {
			items, err := kube.SplitYAML([]byte(document))
			if err != nil {
				return err
			}
			objects = append(objects, items...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		annotations := object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[mark] = "bench"
		object.SetAnnotations(annotations)
	}
	return objects, nil
}
