// Package protocol is the side of the protocol of bench/peer.ts that is spoken by a process of Go: a word on stdin,
// a line of JSON on stdout.
package protocol

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Serve says that the peer has started, and runs each command until stdin ends.
func Serve(do func(command string) (map[string]any, error)) {
	lines := bufio.NewScanner(os.Stdin)
	fmt.Println(`{"ready":true}`)
	for lines.Scan() {
		answer(func() (map[string]any, error) { return do(lines.Text()) })
	}
}

// EachManifest reads the YAML and JSON files of a folder, in the order of their names.
func EachManifest(folder string, read func(data []byte) error) error {
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if !strings.HasSuffix(file, ".json") && !strings.HasSuffix(file, ".yaml") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := read(data); err != nil {
			return err
		}
	}
	return nil
}

// Must ends the peer, with the error as its last words.
func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
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
	Must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	out["maxRssBytes"] = usage.Maxrss * 1024
	if err != nil {
		out["error"] = err.Error()
	}
	line, err := json.Marshal(out)
	Must(err)
	fmt.Println(string(line))
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	Must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}
