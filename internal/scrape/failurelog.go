// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package scrape

import (
	"sync"
	"time"
	"unicode"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// failureMessage is the message with which scraperhelper logs the error of a failed scrape.
const failureMessage = "Error scraping metrics"

// repeatAfter is the time after which a persistent error is logged again.
const repeatAfter = 10 * time.Minute

// maxFailures is the maximum number of different errors that are remembered during a failure.
const maxFailures = 20

// failureLog reduces the error lines of scraperhelper: it logs an error when a failure begins, when the error changes, and every
// repeatAfter, without the stack trace. The errors are still returned, because the collector counts them. The zero value is ready to
// use.
type failureLog struct {
	mu     sync.Mutex
	began  time.Time            // zero if nothing fails
	logged map[string]time.Time // when each error was last logged
}

// wrap returns a logger whose lines pass through the failureLog.
func (l *failureLog) wrap(logger *zap.Logger) *zap.Logger {
	return logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core { return &failureCore{Core: core, log: l} }))
}

// end logs the end of a failure, if there was one.
func (l *failureLog) end(logger *zap.Logger) {
	l.mu.Lock()
	began := l.began
	l.began, l.logged = time.Time{}, nil
	l.mu.Unlock()
	if !began.IsZero() {
		logger.Info("all requests are answered again", zap.Duration("after", time.Since(began).Round(time.Second)))
	}
}

// admit reports whether to log an error.
func (l *failureLog) admit(text string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.began.IsZero() {
		l.began, l.logged = now, map[string]time.Time{}
	}
	text = withoutDigits(text)
	last, known := l.logged[text]
	if known && now.Sub(last) < repeatAfter || !known && len(l.logged) == maxFailures {
		return false
	}
	l.logged[text] = now
	return true
}

// withoutDigits makes errors equal that differ only in numbers, such as sizes or times.
func withoutDigits(text string) string {
	kept := make([]rune, 0, len(text))
	for _, r := range text {
		if !unicode.IsDigit(r) {
			kept = append(kept, r)
		}
	}
	return string(kept)
}

// failureCore passes on the lines that its log admits.
type failureCore struct {
	zapcore.Core
	log *failureLog
}

// With implements zapcore.Core.
func (c *failureCore) With(fields []zapcore.Field) zapcore.Core {
	return &failureCore{Core: c.Core.With(fields), log: c.log}
}

// Check implements zapcore.Core.
func (c *failureCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if entry.Message == failureMessage && c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return c.Core.Check(entry, checked)
}

// Write implements zapcore.Core.
func (c *failureCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	for _, field := range fields {
		if err, isError := field.Interface.(error); isError && !c.log.admit(err.Error(), entry.Time) {
			return nil
		}
	}
	entry.Stack = "" // always the same: the stack of the controller
	if checked := c.Core.Check(entry, nil); checked != nil {
		checked.Write(fields...)
	}
	return nil
}
