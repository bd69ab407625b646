// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
)

const (
	// pollInterval is the time between two readings of files without a notification: for file systems that send none, and for files
	// behind symbolic links.
	pollInterval = 30 * time.Second
	// settleTime is the time without a change after which files are read, so that they are complete.
	settleTime = 100 * time.Millisecond
)

// watcher watches the directories of patterns. Watching directories detects files that are renamed over others, and the symbolic link
// ..data of a Kubernetes volume.
type watcher struct {
	patterns []string
	notify   *fsnotify.Watcher
	wake     chan struct{}
}

// newWatcher returns a watcher, or an error if the system provides no notifications.
func newWatcher(patterns []string) (*watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return &watcher{patterns: patterns, notify: notify, wake: make(chan struct{}, 1)}, nil
}

// add watches the directories that exist. Adding one again has no effect unless it has been replaced.
func (w *watcher) add() {
	for _, pattern := range w.patterns {
		directories, _ := filepath.Glob(filepath.Dir(pattern)) // the pattern is valid
		for _, directory := range directories {
			_ = w.notify.Add(directory) // a directory that cannot be watched is polled
		}
	}
}

// run signals wake after changes, until ctx ends.
func (w *watcher) run(ctx context.Context, logger *zap.Logger) {
	defer w.notify.Close() //nolint:errcheck // nothing depends on it
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-w.notify.Events:
			if !open {
				return
			}
			settled = time.After(settleTime)
		case err := <-w.notify.Errors:
			logger.Warn("notifications about files fail: they are read every 30 s", zap.Error(err))
		case <-settled:
			select {
			case w.wake <- struct{}{}:
			default: // already signaled
			}
		}
	}
}
